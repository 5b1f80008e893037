import type { ActorRef } from '../shared/actor/actor.js';
import type { Clock } from '../shared/actor/clock.js';
import { randomIdentifier } from '../shared/actor/rng.js';
import { deflateChunk } from '../shared/data/chunk-compression.js';
import { UserError } from '../shared/errors.js';
import type { FrameBounds, Link } from '../shared/link/link.js';
import { UnreadBytes } from '../shared/link/unread-bytes.js';
import { ProtocolError } from '../shared/protocol/checked.js';
import type {
  PartialSums,
  Refuse,
  Stop,
  SumSegment,
  WorkerToCoordinator,
} from '../shared/protocol/messages.js';
import type { Control, Watch } from '../shared/protocol/watch-messages.js';
import type { SegmentPlace } from '../shared/reduction/segments.js';
import { IncomingSums, type SumStore } from './compute/incoming-sums.js';
import { type OutgoingVectors, VectorSender } from './compute/outgoing-vectors.js';
import type { CoordinatorEffect, CoordinatorMessage } from './state/messages.js';

/** The most of this thread's time that sending data takes while steps are computed. */
const DATA_TIME_SHARE = 0.05;

/** What links of members are served with. */
export interface MemberLinkTools {
  readonly clock: Clock;
  /** Where the vectors of partial sums are stored. */
  readonly buffers: SumStore;
  /** What a member may send. */
  readonly bounds: FrameBounds;
  /** Whether a member's partial sums can count: they are copied into memory only then. */
  readonly isOwed: (id: string, partialSums: PartialSums) => boolean;
  /** How many vectors a member owes for a task in the step under way; 0: it owes nothing. */
  readonly owedVectors: (id: string, task: Pick<PartialSums, 'step' | 'range'>) => number;
  /** A part of a member's sums has come, or all of them have. Left out: nobody waits for parts. */
  readonly onSums?: (message: SumSegment | PartialSums) => void;
  /** What goes with work. */
  readonly outgoing: (what: 'weights' | 'update') => OutgoingVectors;
  /** The bytes of a chunk of the data. */
  readonly chunk: (index: number) => Uint8Array;
}

/** What links tell. */
type LinkMessage = Extract<
  CoordinatorMessage,
  { kind: 'connected' | 'received' | 'garbled' | 'disconnected' | 'chunk-sent' | 'data-due' }
>;

/** A peer that has connected. */
interface Peer {
  readonly parse: (message: unknown) => WorkerToCoordinator | Watch | Control;
  readonly sharesMemory: boolean;
  /** Called with the id of its link, before anything is told. */
  readonly onOpen?: (id: string) => void;
  readonly onClosed?: (id: string) => void;
}

/** Effects that are carried out over links. */
export type LinkEffect = Extract<
  CoordinatorEffect,
  { kind: 'send' | 'send-chunk' | 'admit' | 'drop' | 'answer-operator' }
>;

/**
 * The links of those who have connected to this machine, downwards of it. What arrives is parsed and validated, its partial sums
 * are copied into memory, and it is told as `received`.
 */
export class MemberLinks {
  private readonly links = new Map<string, Link>();
  /** Sends vectors over each link. */
  private readonly senders = new Map<string, VectorSender>();
  private readonly incoming: IncomingSums;
  private readonly unreadBytes = new UnreadBytes(this.links);
  private connections = 0;
  private onLastLinkGone = (): void => {};

  constructor(private readonly tools: MemberLinkTools) {
    this.incoming = new IncomingSums(tools.buffers, tools.owedVectors, tools.isOwed);
  }

  /** A peer has connected. @param self who is told what happens */
  open(self: ActorRef<LinkMessage>, link: Link, { parse, sharesMemory, onOpen, onClosed }: Peer): void {
    this.connections += 1;
    const id = `${sharesMemory ? 'local' : 'remote'}-${this.connections}`;
    this.links.set(id, link);
    this.senders.set(id, new VectorSender(link));
    onOpen?.(id);
    const address = link.peer.replace(/:\d+$/, '');
    self.tell({ kind: 'connected', id, nonce: randomIdentifier(), sharesMemory, address });
    link.open({
      message: ({ message, payload }) => {
        this.receive(self, id, () => parse(message), payload);
        // Partial sums have been copied to their buffers, and no other payload of a worker is kept.
        link.recycle(payload);
      },
      closed: (reason, isFault) => {
        this.links.delete(id);
        this.senders.get(id)?.drop();
        this.senders.delete(id);
        this.incoming.forgetMember(id);
        onClosed?.(id);
        if (isFault) self.tell({ kind: 'garbled', id, reason });
        self.tell({ kind: 'disconnected', id, reason });
        if (this.links.size === 0) this.onLastLinkGone();
      },
    });
  }

  /** The open link of this id. */
  link(id: string): Link | undefined {
    return this.links.get(id);
  }

  /** Carries one effect out. */
  perform(effect: LinkEffect, self: ActorRef<LinkMessage>): void {
    switch (effect.kind) {
      case 'send':
        return this.send(effect);
      case 'send-chunk':
        return this.sendChunk(effect, self);
      case 'admit':
        return this.links.get(effect.id)?.admit(this.tools.bounds);
      case 'answer-operator':
        return this.links.get(effect.id)?.send(effect.answer);
      case 'drop':
        return this.links.get(effect.id)?.close(effect.reason);
      default:
        effect satisfies never;
    }
  }

  /** The buffers of the sums that a member is sending of a task, if this segment has come of all of them. */
  arriving(
    id: string,
    task: Pick<PartialSums, 'step' | 'range'>,
    index: number,
  ): readonly number[] | undefined {
    return this.incoming.arriving(id, task, index);
  }

  /** A segment of what goes with work has arrived on this machine: it is sent to those who wait for it. */
  arrived(place: SegmentPlace): void {
    for (const sender of this.senders.values()) sender.arrived(place);
  }

  /** Segments that have not arrived never will: those who wait for them get what there is, for nobody needs their answers. */
  sendAsIs(): void {
    for (const sender of this.senders.values()) sender.sendAsIs();
  }

  /** The weights are about to change: copies what has not been sent of those that are kept. */
  keepUnsent(): void {
    for (const sender of this.senders.values()) sender.keepUnsent();
  }

  /** The step under way has all it needs: what is still arriving counts no more, unless it is owed all the same. */
  forgetSuperfluous(): void {
    this.incoming.forgetSuperfluous();
  }

  /** Tells every peer why it is over, and waits until all have hung up, but no longer than `waitMs`. */
  shutdown(last: Stop | Refuse, waitMs: number): Promise<void> {
    for (const link of this.links.values()) {
      link.send(last);
      link.close(last.reason);
    }
    if (this.links.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.tools.clock.after(waitMs, resolve);
      this.onLastLinkGone = () => {
        cancel();
        resolve();
      };
    });
  }

  private receive(
    self: ActorRef<LinkMessage>,
    id: string,
    parse: () => WorkerToCoordinator | Watch | Control,
    payload: Uint8Array,
  ): void {
    try {
      const message = parse();
      self.tell({ kind: 'received', id, message, buffers: this.incoming.receive(id, message, payload) });
      if (message.kind === 'segment' || message.kind === 'partial-sums') this.tools.onSums?.(message);
    } catch (error) {
      // Where there is no room for what a member sent, the run goes on without the member.
      if (!(error instanceof ProtocolError || error instanceof UserError)) throw error;
      self.tell({ kind: 'garbled', id, reason: error.message });
    }
  }

  private send({ id, message, attachment }: Extract<LinkEffect, { kind: 'send' }>): void {
    if (message.kind !== 'work' || attachment === 'none') return this.links.get(id)?.send(message);
    const vectors = this.tools.outgoing(attachment === 'update' ? 'update' : 'weights');
    const isKept = attachment === 'kept-weights';
    this.senders.get(id)?.send(message, vectors, isKept);
    if (isKept) return;
    this.unreadBytes.sent(vectors.views.length * vectors.cut.bytes);
  }

  private sendChunk(
    { id, index, besideSteps, deflates }: Extract<LinkEffect, { kind: 'send-chunk' }>,
    self: ActorRef<LinkMessage>,
  ): void {
    const { clock, chunk } = this.tools;
    const begunMs = clock.nowMs();
    const message = { kind: 'chunk', index } as const;
    const left = (): void => self.tell({ kind: 'chunk-sent', id });
    const link = this.links.get(id);
    if (!deflates) link?.send(message, chunk(index), left);
    else
      void deflateChunk(chunk(index)).then((bytes) => {
        // The link may have closed meanwhile.
        if (this.links.get(id) !== link) return;
        if (bytes === undefined) link?.send(message, chunk(index), left);
        else link?.send({ ...message, isDeflated: true }, bytes, left);
      });
    const pauseMs = besideSteps ? (clock.nowMs() - begunMs) * (1 / DATA_TIME_SHARE - 1) : 0;
    clock.after(pauseMs, () => self.tell({ kind: 'data-due' }));
  }
}
