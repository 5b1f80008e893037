import type { ActorRef } from '../shared/actor/actor.js';
import type { Cancel, Clock } from '../shared/actor/clock.js';
import { randomIdentifier } from '../shared/actor/rng.js';
import { CHUNK_BYTES_MAX } from '../shared/data/manifest.js';
import type { PartialSum } from '../shared/engine/step/partial-sum-addition.js';
import { messageOf, UserError } from '../shared/errors.js';
import type { FrameBounds, Link } from '../shared/link/link.js';
import { PacedSender } from '../shared/link/paced-sender.js';
import { ProtocolError } from '../shared/protocol/checked.js';
import type { CoordinatorToWorker, PartialSums } from '../shared/protocol/messages.js';
import { parseCoordinatorMessage } from '../shared/protocol/parse.js';
import { joinVectors, SEGMENT_BYTES, type Segment, travelWhole } from '../shared/reduction/segments.js';
import type { Executor } from './executor.js';
import type { ExitReason, WorkerEffect, WorkerMessage, WorkItem } from './messages.js';
import { PacedNotices } from './paced-notices.js';

/** What a coordinator may send after it has been admitted. Only the run, which comes before that, has a long header. */
const COORDINATOR_BOUNDS: FrameBounds = {
  headerBytesMax: 64 * 2 ** 10,
  payloadBytesMax: (message) => {
    const { kind } = message as { kind?: unknown };
    return kind === 'work' || kind === 'segment' ? SEGMENT_BYTES : kind === 'chunk' ? CHUNK_BYTES_MAX : 0;
  },
};

/** Why a worker closes its link. */
const CLOSE_REASON = 'the worker left';

/** What the effect runner performs a worker's effects with. */
export interface WorkerTools {
  readonly executor: Executor;
  readonly clock: Clock;
  /** Connects to the coordinator. Throws an Error with a one-line message; a UserError when a further attempt is useless. */
  readonly connect: () => Promise<Link>;
  /** What the coordinator has compressed by raw DEFLATE. Rejects when it is damaged or would exceed so many bytes. */
  readonly inflate: (bytes: Uint8Array, bytesMax: number) => Promise<Uint8Array>;
  readonly onNotice: (text: string) => void;
  /** The worker has ended. */
  readonly onEnd: (exitReason: ExitReason, reason: string) => void;
}

/** Performs a worker's effects, and tells the worker's actor what comes of them. */
export class WorkerEffectRunner {
  private link: Link | undefined;
  /** Sends over the link in order. */
  private sender: PacedSender | undefined;
  /** By the first leaf of what is computed, which segments of its partial sums have been sent, and over which link. */
  private readonly sent = new Map<number, { readonly over: PacedSender; readonly segments: Set<number> }>();
  private hasEnded = false;
  /** Ends the wait for the next attempt to connect. */
  private cancelWait: Cancel = () => {};
  private readonly notices: PacedNotices;

  constructor(private readonly tools: WorkerTools) {
    this.notices = new PacedNotices(tools.clock, tools.onNotice);
  }

  /** Performs one effect. */
  perform(effect: WorkerEffect, self: ActorRef<WorkerMessage>): void {
    const { executor, clock } = this.tools;
    switch (effect.kind) {
      case 'connect':
        void this.connect(self);
        return;
      case 'connect-after':
        this.cancelWait = clock.after(effect.delayMs, () => self.tell({ kind: 'connect' }));
        return;
      case 'send':
        return this.send(effect);
      case 'admit':
        return this.link?.admit(COORDINATOR_BOUNDS);
      case 'prepare': {
        const { run } = effect;
        return this.await(self, executor.prepare(run), (result) => ({ kind: 'prepared', run, ...result }));
      }
      case 'store':
        return this.store(self, effect);
      case 'expect':
        return executor.expect(effect.what);
      case 'load':
        executor.load(effect.place, effect.bytes);
        return this.link?.recycle(effect.bytes);
      case 'stop-waiting':
        return executor.stopWaiting();
      case 'compute':
        return this.await(self, this.compute(effect.work), (result) => result);
      case 'interrupt':
        return executor.interrupt();
      case 'expel':
        return executor.expel?.(effect.message);
      case 'close':
        this.sender?.drop();
        return this.link?.close(CLOSE_REASON);
      case 'notice':
        return this.notices.say(effect.text);
      case 'end':
        this.hasEnded = true;
        // It may be one of minutes, and a process does not end before its timers have.
        this.cancelWait();
        return this.tools.onEnd(effect.exitReason, effect.reason);
      default:
        effect satisfies never;
    }
  }

  private async connect(self: ActorRef<WorkerMessage>): Promise<void> {
    try {
      const link = await this.tools.connect();
      // The user may have stopped the worker while it was connecting.
      if (this.hasEnded) return link.close(CLOSE_REASON);
      const sender = new PacedSender(link);
      this.link = link;
      this.sender = sender;
      self.tell({ kind: 'opened', nonce: randomIdentifier() });
      link.open({
        message: ({ message, payload }) => this.receive(self, message, payload),
        closed: (reason) => {
          sender.drop();
          self.tell({ kind: 'closed', reason });
        },
      });
    } catch (error) {
      if (error instanceof UserError) return self.tell({ kind: 'failed', reason: error.message });
      self.tell({ kind: 'closed', reason: messageOf(error) });
    }
  }

  /** A message came over the link. */
  private receive(self: ActorRef<WorkerMessage>, raw: unknown, payload: Uint8Array): void {
    let message: CoordinatorToWorker;
    try {
      message = parseCoordinatorMessage(raw);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return self.tell({ kind: 'failed', reason: error.message });
    }
    self.tell({ kind: 'received', message, payload });
  }

  private send({ message, partialSums }: Extract<WorkerEffect, { kind: 'send' }>): void {
    const { link, sender } = this;
    // A sign of life must not wait behind a vector.
    if (message.kind === 'pong') return link?.send(message);
    // Nobody needs what would be sent before it.
    if (message.kind === 'leave') {
      sender?.drop();
      return link?.send(message);
    }
    if (message.kind !== 'partial-sums' || partialSums === undefined) return sender?.send(message);
    const vectors = this.tools.executor.vectors(partialSums);
    // The memory is shared: the coordinator reads the vectors where they lie.
    if (vectors === undefined)
      return sender?.send({ ...message, buffers: partialSums.map(({ buffer }) => buffer) });
    const { cut, views } = vectors;
    if (travelWhole(cut, views.length)) return sender?.send(message, joinVectors(views));
    this.sendSegments(message, partialSums, [...cut.segments.keys()]);
    sender?.send(message);
    this.sent.delete(message.range.from);
  }

  /** Sends segments of partial sums, those that have not been sent. */
  private sendSegments(
    { step, range }: Pick<PartialSums, 'step' | 'range'>,
    partialSums: readonly PartialSum[],
    segments: readonly number[],
  ): void {
    const { sender } = this;
    const vectors = this.tools.executor.vectors(partialSums);
    if (vectors === undefined || sender === undefined) return;
    const { cut, views } = vectors;
    if (travelWhole(cut, views.length)) return;
    let sent = this.sent.get(range.from);
    if (sent?.over !== sender) {
      sent = { over: sender, segments: new Set() };
      this.sent.set(range.from, sent);
    }
    for (const index of segments) {
      if (sent.segments.has(index)) continue;
      sent.segments.add(index);
      const { at, bytes } = cut.segments[index] as Segment;
      for (const [vector, view] of views.entries())
        sender.send({ kind: 'segment', step, range, vector, index }, view.subarray(at, at + bytes));
    }
  }

  private store(self: ActorRef<WorkerMessage>, chunk: Extract<WorkerEffect, { kind: 'store' }>): void {
    const { index, bytes, isDeflated } = chunk;
    if (isDeflated) {
      const { link } = this;
      this.tools.inflate(bytes, CHUNK_BYTES_MAX).then(
        (inflated) => {
          // The next link asks again for what is not stored.
          if (this.link === link) this.store(self, { ...chunk, bytes: inflated, isDeflated: false });
        },
        () => {
          if (this.link === link) self.tell({ kind: 'stored', index, isValid: false });
        },
      );
      return;
    }
    let isValid: boolean | Promise<boolean>;
    try {
      isValid = this.tools.executor.store(index, bytes);
    } catch (error) {
      return self.tell({ kind: 'failed', reason: reasonOf(error) });
    }
    if (typeof isValid === 'boolean') return self.tell({ kind: 'stored', index, isValid });
    this.await(self, isValid, (isValid) => ({ kind: 'stored', index, isValid }));
  }

  private async compute({ step, range, brings, isRehearsed }: WorkItem): Promise<WorkerMessage> {
    const { executor, clock } = this.tools;
    // Partial sums that wait for the link lie where the next ones are computed.
    await this.sender?.idle();
    const appliesUpdate = brings === 'update' && isRehearsed !== true;
    const { sender } = this;
    this.sent.delete(range.from);
    const computed = await executor.compute(
      { step, range, appliesUpdate },
      {
        nowMs: () => clock.nowMs(),
        completed: (partialSums, segments) => {
          // Over another link nothing of this is owed.
          if (this.sender === sender) this.sendSegments({ step, range }, partialSums, segments);
        },
        retracted: () => {
          const sent = this.sent.get(range.from);
          if (sent === undefined || sent.over !== this.sender) return;
          this.sent.delete(range.from);
          sent.over.send({ kind: 'retract', step, range });
        },
      },
    );
    const computeMicros = Math.round((computed?.computeMs ?? 0) * 1000);
    const { partialSums, parts, concurrency } = computed ?? {};
    const said = { ...(concurrency && { concurrency }), ...(parts && { parts }) };
    return { kind: 'computed', step, range, partialSums, computeMicros, ...said };
  }

  /** Tells the worker the result of some work, or that it failed. */
  private await<T>(
    self: ActorRef<WorkerMessage>,
    work: Promise<T>,
    report: (result: T) => WorkerMessage,
  ): void {
    work.then(
      (result) => self.tell(report(result)),
      (error: unknown) => self.tell({ kind: 'failed', reason: reasonOf(error) }),
    );
  }
}

/** What the user can fix is told as it is. Anything else is a fault of the program and is told with the error's class. */
function reasonOf(error: unknown): string {
  return error instanceof UserError ? error.message : String(error);
}
