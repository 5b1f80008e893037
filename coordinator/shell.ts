import type { ActorRef } from '../shared/actor/actor.js';
import type { Clock } from '../shared/actor/clock.js';
import { randomIdentifier } from '../shared/actor/rng.js';
import type { Dataset } from '../shared/data/dataset.js';
import { assert, UserError } from '../shared/errors.js';
import { type FrameBounds, type Link, NO_PAYLOAD } from '../shared/link/link.js';
import type { NodeToCoordinator, Partials } from '../shared/protocol/messages.js';
import { ProtocolError, parseNodeMessage } from '../shared/protocol/parse.js';
import { type News, parseWatcherMessage, type Watch } from '../shared/protocol/watch-messages.js';
import { Audience } from './audience.js';
import type { BestWeights } from './best-weights.js';
import type { Keeper } from './keeper.js';
import type { Completion, CoordinatorEffect, CoordinatorMessage } from './messages.js';
import type { Observer } from './observer.js';
import type { SlotPool } from './slot-pool.js';
import type { Snapshots } from './snapshots.js';
import type { Workshop } from './workshop.js';

/** What the coordinator's effects are carried out with. */
export interface CoordinatorTools {
  readonly workshop: Workshop;
  readonly slots: SlotPool;
  /** What a member may send. */
  readonly bounds: FrameBounds;
  readonly snapshots: Snapshots;
  /** Where the best weights are kept, in a run that ends with them. */
  readonly best?: BestWeights | undefined;
  readonly dataset: Dataset;
  readonly observer: Observer;
  readonly clock: Clock;
  /** Whether a member's sums can count: room is made for no others. */
  readonly isOwed: (id: string, partials: Partials) => boolean;
  /** Saves the run, where that is asked for. */
  readonly keeper?: Keeper | undefined;
  /** An effect went wrong for good, such as a compute thread that died: the run cannot go on. */
  readonly onFailure: (error: unknown) => void;
  /** The run is over. */
  readonly onComplete: (reason: Completion) => void;
}

type Send = Extract<CoordinatorEffect, { kind: 'send' }>;
type Save = Extract<CoordinatorEffect, { kind: 'checkpoint' }>;

/** Carries out what the coordinator decides, and brings back to it what happens. */
export class CoordinatorShell {
  private readonly links = new Map<string, Link>();
  private readonly audience: Audience;
  private connections = 0;
  private onLastLinkGone = (): void => {};

  constructor(private readonly tools: CoordinatorTools) {
    this.audience = new Audience(tools.clock);
  }

  /** Tells those who watch. */
  publish(news: News): void {
    this.audience.publish(news);
  }

  /**
   * A node has connected.
   * @param self the coordinator
   * @param seat threads of the crew that the node computes with, for a node that lives in this process
   */
  accept(self: ActorRef<CoordinatorMessage>, link: Link, seat?: { from: number; to: number }): void {
    const parse = (message: unknown) =>
      seat === undefined ? parseNodeMessage(message) : (message as NodeToCoordinator);
    this.takeOver(self, link, parse, seat);
  }

  /** Someone has connected who would watch. */
  acceptWatcher(self: ActorRef<CoordinatorMessage>, link: Link): void {
    this.takeOver(self, link, parseWatcherMessage);
  }

  private takeOver(
    self: ActorRef<CoordinatorMessage>,
    link: Link,
    parse: (message: unknown) => NodeToCoordinator | Watch,
    seat?: { from: number; to: number },
  ): void {
    this.connections += 1;
    const id = seat === undefined ? `remote-${this.connections}` : `local-${this.connections}`;
    this.links.set(id, link);
    if (seat !== undefined) this.tools.workshop.seat(id, seat);
    self.tell({ kind: 'connected', id, nonce: randomIdentifier(), sharesMemory: seat !== undefined });
    link.open({
      message: ({ message, payload }) => {
        this.receive(self, id, () => parse(message), payload);
        // Partial sums have been copied to their places, and nothing else that a node sends is kept.
        link.recycle(payload);
      },
      closed: (reason, isFault) => {
        this.links.delete(id);
        this.audience.leave(id);
        if (isFault) self.tell({ kind: 'garbled', id, reason });
        self.tell({ kind: 'disconnected', id, reason });
        if (this.links.size === 0) this.onLastLinkGone();
      },
    });
  }

  /** Carries one effect out. */
  perform(effect: CoordinatorEffect, self: ActorRef<CoordinatorMessage>): void {
    const { workshop, observer, slots, snapshots, clock } = this.tools;
    switch (effect.kind) {
      case 'send':
        return this.links.get(effect.id)?.send(effect.message, this.payloadOf(effect));
      case 'admit':
        return this.links.get(effect.id)?.admit(this.tools.bounds);
      case 'show': {
        const link = this.links.get(effect.id);
        return link && this.audience.seat(effect.id, link, effect.proof);
      }
      case 'drop':
        return this.links.get(effect.id)?.close(effect.reason);
      case 'stride': {
        const begunMs = clock.nowMs();
        return this.await(workshop.stride(effect), (outcome) =>
          self.tell({ kind: 'strided', ...outcome, elapsedMs: clock.nowMs() - begunMs }),
        );
      }
      case 'interrupt-stride':
        return workshop.interruptStride();
      case 'finish':
        return this.await(workshop.finish(effect), (outcome) => {
          slots.release(effect.arrived.map(({ slot }) => slot));
          self.tell({ kind: 'finished', ...outcome });
        });
      case 'compare': {
        const { step, task, answers } = effect;
        return self.tell({ kind: 'compared', step, task, ...workshop.compare(answers) });
      }
      case 'wake':
        clock.after(effect.afterMs, () => self.tell({ kind: 'woken' }));
        return;
      case 'report':
        return observer.reported(effect.event);
      case 'release':
        return slots.release(effect.slots);
      case 'evaluate':
        return this.await(workshop.evaluate(), (means) => {
          observer.evaluated(effect.step, means);
          self.tell({ kind: 'evaluated', means });
        });
      case 'checkpoint':
        return this.save(effect, self);
      case 'keep':
        snapshots.forget(effect.forget);
        return snapshots.keep(effect.step);
      case 'restore':
        snapshots.forget(effect.forget);
        return snapshots.restore(effect.step);
      case 'keep-best':
        return this.tools.best?.keep();
      case 'restore-best':
        return this.tools.best?.restore();
      case 'watch':
        return this.await(workshop.watch(effect), (figures) => {
          if (figures !== undefined) observer.watched(figures);
          self.tell({ kind: 'watched' });
        });
      case 'record':
        return observer.stepped({ ...effect, means: workshop.meansOf(effect.metrics, effect.batch) });
      case 'notice':
        return observer.notice(effect.text);
      case 'complete':
        return this.tools.onComplete(effect.reason);
      default:
        effect satisfies never;
    }
  }

  /** Tells everyone that the run is over, and waits until they have hung up, but no longer than `waitMs`. */
  farewell(reason: string, waitMs: number): Promise<void> {
    this.audience.close();
    for (const link of this.links.values()) {
      link.send({ kind: 'stop', reason });
      link.close(reason);
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
    self: ActorRef<CoordinatorMessage>,
    id: string,
    parse: () => NodeToCoordinator | Watch,
    payload: Uint8Array,
  ): void {
    try {
      const message = parse();
      self.tell({ kind: 'received', id, message, slots: this.takeIn(id, message, payload) });
    } catch (error) {
      // Where there is no room for what a member sent, the run goes on without it.
      if (!(error instanceof ProtocolError || error instanceof UserError)) throw error;
      self.tell({ kind: 'garbled', id, reason: error.message });
    }
  }

  /** Where the vectors of a message lie: at home already, or copied there now; nowhere, if they cannot count. */
  private takeIn(id: string, message: NodeToCoordinator | Watch, payload: Uint8Array): readonly number[] {
    if (message.kind !== 'partials' || !this.tools.isOwed(id, message)) return [];
    return message.slots ?? this.tools.slots.takeIn(payload, message.nodes.length);
  }

  private save({ progress, isBack }: Save, self: ActorRef<CoordinatorMessage>): void {
    const { keeper, onFailure } = this.tools;
    const { step } = progress;
    assert(keeper !== undefined, 'a run that is to be saved has a keeper');
    keeper.keep(progress, isBack).then(
      (outcome) => self.tell({ kind: 'saved', step, outcome }),
      (error: unknown) => {
        if (!(error instanceof UserError)) return onFailure(error);
        self.tell({ kind: 'saved', step, outcome: { problem: error.message } });
      },
    );
  }

  private payloadOf({ message, attachment }: Send): Uint8Array {
    if (message.kind === 'chunk' && attachment === 'chunk') return this.tools.dataset.chunk(message.index);
    if (message.kind !== 'work' || attachment !== 'weights') return NO_PAYLOAD;
    // Work is handed out between two updates. Each link copies them, into memory that it uses again.
    return this.tools.workshop.weightBytes();
  }

  private await<T>(work: Promise<T>, then: (result: T) => void): void {
    work.then(then).catch(this.tools.onFailure);
  }
}
