import type { ActorRef } from '../shared/actor/actor.js';
import type { Clock } from '../shared/actor/clock.js';
import { randomIdentifier } from '../shared/actor/rng.js';
import type { Dataset } from '../shared/data/dataset.js';
import { assert, UserError } from '../shared/errors.js';
import type { FrameBounds, Link } from '../shared/link/link.js';
import { UnreadBytes } from '../shared/link/unread-bytes.js';
import { ProtocolError } from '../shared/protocol/checked.js';
import type { PartialSums, WorkerToCoordinator } from '../shared/protocol/messages.js';
import { parseWorkerMessage } from '../shared/protocol/parse.js';
import { type Control, parseWatcherMessage, type Watch } from '../shared/protocol/watch-messages.js';
import type { LeafRange } from '../shared/reduction/tree.js';
import type { BestWeights } from './compute/best-weights.js';
import type { CheckpointWriter } from './compute/checkpoint-writer.js';
import type { CoordinatorExecutor } from './compute/coordinator-executor.js';
import { IncomingSums } from './compute/incoming-sums.js';
import { VectorSender } from './compute/outgoing-vectors.js';
import type { PartialSumBuffers } from './compute/partial-sum-buffers.js';
import type { Snapshots } from './compute/snapshots.js';
import { Watchers } from './membership/watchers.js';
import type { Completion, CoordinatorEffect, CoordinatorMessage } from './state/messages.js';
import type { Observer } from './state/observer.js';

/** The most of this thread's time that sending data takes while steps are computed. */
const DATA_TIME_SHARE = 0.05;

/** What the coordinator's effects are carried out with. */
export interface CoordinatorTools {
  readonly executor: CoordinatorExecutor;
  readonly buffers: PartialSumBuffers;
  /** What a member may send. */
  readonly bounds: FrameBounds;
  readonly snapshots: Snapshots;
  /** Where the best weights are kept, in a run that ends with them. */
  readonly best?: BestWeights | undefined;
  readonly dataset: Dataset;
  readonly observer: Observer;
  readonly clock: Clock;
  /** Whether a member's partial sums can count: they are copied into memory only then. */
  readonly isOwed: (id: string, partialSums: PartialSums) => boolean;
  /** How many vectors a member owes for a task in the step under way; 0: it owes nothing. */
  readonly owedVectors: (id: string, task: Pick<PartialSums, 'step' | 'range'>) => number;
  /** Saves the run, where that is asked for. */
  readonly checkpointWriter?: CheckpointWriter | undefined;
  /** An effect has failed for good, such as a compute thread that died: the run cannot go on. */
  readonly onFailure: (error: unknown) => void;
  /** The run is over. */
  readonly onComplete: (reason: Completion) => void;
}

type Send = Extract<CoordinatorEffect, { kind: 'send' }>;
type SendChunk = Extract<CoordinatorEffect, { kind: 'send-chunk' }>;
type Save = Extract<CoordinatorEffect, { kind: 'checkpoint' }>;

/**
 * Carries out the coordinator's effects, and tells its mailbox what happens: both ends of a message's way from socket to
 * state (see transition.ts). A frame that arrives on a link is parsed and validated here, its partial sums are copied into
 * memory, and the message goes to the mailbox as `received`.
 */
export class CoordinatorEffectRunner {
  private readonly links = new Map<string, Link>();
  /** Sends vectors over each link. */
  private readonly senders = new Map<string, VectorSender>();
  private readonly incoming: IncomingSums;
  private readonly unreadBytes = new UnreadBytes(this.links);
  private readonly watchers: Watchers;
  private connections = 0;
  private onLastLinkGone = (): void => {};

  constructor(private readonly tools: CoordinatorTools) {
    this.watchers = new Watchers(tools.clock);
    this.incoming = new IncomingSums(tools.buffers, tools.owedVectors, tools.isOwed);
  }

  /** Those who watch the run. */
  get followers(): Pick<Watchers, 'isWatched' | 'isOperated' | 'latest' | 'publish' | 'publishMembers'> {
    return this.watchers;
  }

  /**
   * A worker has connected.
   * @param self the coordinator
   * @param threads compute threads of this process that the worker uses, for a worker that lives in this process
   */
  accept(self: ActorRef<CoordinatorMessage>, link: Link, threads?: LeafRange): void {
    const parse = (message: unknown) =>
      threads === undefined ? parseWorkerMessage(message) : (message as WorkerToCoordinator);
    this.open(self, link, parse, threads);
  }

  /** A watcher has connected. */
  acceptWatcher(self: ActorRef<CoordinatorMessage>, link: Link): void {
    this.open(self, link, parseWatcherMessage);
  }

  private open(
    self: ActorRef<CoordinatorMessage>,
    link: Link,
    parse: (message: unknown) => WorkerToCoordinator | Watch | Control,
    threads?: LeafRange,
  ): void {
    this.connections += 1;
    const sharesMemory = threads !== undefined;
    const id = `${sharesMemory ? 'local' : 'remote'}-${this.connections}`;
    this.links.set(id, link);
    this.senders.set(id, new VectorSender(link));
    if (threads !== undefined) this.tools.executor.assignThreads(id, threads);
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
        this.watchers.remove(id);
        if (isFault) self.tell({ kind: 'garbled', id, reason });
        self.tell({ kind: 'disconnected', id, reason });
        if (this.links.size === 0) this.onLastLinkGone();
      },
    });
  }

  private receive(
    self: ActorRef<CoordinatorMessage>,
    id: string,
    parse: () => WorkerToCoordinator | Watch | Control,
    payload: Uint8Array,
  ): void {
    try {
      const message = parse();
      self.tell({ kind: 'received', id, message, buffers: this.incoming.receive(id, message, payload) });
    } catch (error) {
      // Where there is no room for what a member sent, the run goes on without the member.
      if (!(error instanceof ProtocolError || error instanceof UserError)) throw error;
      self.tell({ kind: 'garbled', id, reason: error.message });
    }
  }

  /** Carries one effect out. */
  perform(effect: CoordinatorEffect, self: ActorRef<CoordinatorMessage>): void {
    const { executor, observer, buffers, snapshots, clock } = this.tools;
    switch (effect.kind) {
      case 'send':
        return this.send(effect);
      case 'send-chunk':
        return this.sendChunk(effect, self);
      case 'admit':
        return this.links.get(effect.id)?.admit(this.tools.bounds);
      case 'admit-watcher': {
        const link = this.links.get(effect.id);
        return link && this.watchers.add(effect.id, link, effect);
      }
      case 'answer-operator':
        return this.links.get(effect.id)?.send(effect.answer);
      case 'publish':
        return this.watchers.publish(effect.report);
      case 'drop':
        return this.links.get(effect.id)?.close(effect.reason);
      case 'execute': {
        const begunMs = clock.nowMs();
        return this.await(executor.execute(effect), (outcome) =>
          self.tell({ kind: 'executed', ...outcome, elapsedMs: clock.nowMs() - begunMs }),
        );
      }
      case 'interrupt-execution':
        return executor.interruptExecution();
      case 'begin-round':
        return executor.beginRound(effect.scalars);
      case 'finish':
        this.incoming.forgetSuperfluous();
        return this.await(executor.finish(effect), (outcome) => {
          buffers.release(effect.arrived.map(({ buffer }) => buffer));
          self.tell({ kind: 'finished', ...outcome });
        });
      case 'compare': {
        const { step, task, answers } = effect;
        return self.tell({ kind: 'compared', step, task, ...executor.compare(answers) });
      }
      case 'wake':
        clock.after(effect.afterMs, () => self.tell({ kind: 'woken' }));
        return;
      case 'report':
        return observer.reported(effect.event);
      case 'release':
        return buffers.release(effect.buffers);
      case 'evaluate': {
        const startedMs = clock.nowMs();
        const { step } = effect;
        const answer = () => executor.answer(step, this.followers.isOperated);
        const work = executor.evaluate(step).then(async (means) => ({ means, answers: await answer() }));
        return this.await(work, ({ means, answers }) => {
          observer.evaluated(effect.step, means, clock.nowMs() - startedMs);
          if (answers !== undefined) observer.answered?.(answers);
          self.tell({ kind: 'evaluated', means });
        });
      }
      case 'checkpoint':
        return this.save(effect, self);
      case 'forget-checkpoints':
        return this.forgetCheckpoints(effect.after, self);
      case 'keep-snapshot':
        snapshots.forget(effect.forget);
        return snapshots.keep(effect.step);
      case 'restore-snapshot':
        snapshots.forget(effect.forget);
        return snapshots.restore(effect.step);
      case 'keep-best':
        return this.tools.best?.keep();
      case 'restore-best':
        return this.tools.best?.restore();
      case 'inspect':
        return this.await(executor.inspect(effect), (stats) => {
          if (stats !== undefined) observer.inspected(stats);
          self.tell({ kind: 'inspected' });
        });
      case 'record':
        return observer.stepped({ ...effect, means: executor.metricMeans(effect.metrics, effect.batch) });
      case 'notice':
        return observer.notice(effect.text, effect.worker);
      case 'complete':
        return this.tools.onComplete(effect.reason);
      default:
        effect satisfies never;
    }
  }

  /** Tells every peer that the run is over, and waits until all have hung up, but no longer than `waitMs`. */
  shutdown(reason: string, waitMs: number): Promise<void> {
    this.watchers.close();
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

  private save({ progress, isBack, ledger }: Save, self: ActorRef<CoordinatorMessage>): void {
    const { step } = progress;
    this.withProblem(this.checkpointWriter.write(progress, isBack, ledger), (outcome) =>
      self.tell({ kind: 'saved', step, outcome }),
    );
  }

  private send({ id, message, attachment }: Send): void {
    const link = this.links.get(id);
    if (message.kind !== 'work' || attachment === 'none') return link?.send(message);
    const vectors = this.tools.executor.outgoing(attachment === 'update' ? 'update' : 'weights');
    if (attachment === 'copied-weights')
      return this.senders
        .get(id)
        ?.send(message, { ...vectors, views: vectors.views.map((one) => one.slice()) });
    this.senders.get(id)?.send(message, vectors);
    this.unreadBytes.sent(vectors.views.length * vectors.cut.bytes);
  }

  private sendChunk({ id, index, besideSteps }: SendChunk, self: ActorRef<CoordinatorMessage>): void {
    const { clock, dataset } = this.tools;
    const begunMs = clock.nowMs();
    const link = this.links.get(id);
    link?.send({ kind: 'chunk', index }, dataset.chunk(index), () => self.tell({ kind: 'chunk-sent', id }));
    const pauseMs = besideSteps ? (clock.nowMs() - begunMs) * (1 / DATA_TIME_SHARE - 1) : 0;
    clock.after(pauseMs, () => self.tell({ kind: 'data-due' }));
  }

  private forgetCheckpoints(after: number, self: ActorRef<CoordinatorMessage>): void {
    const forgotten = this.checkpointWriter.forgetAfter(after).then((newest) => ({ newest }));
    this.withProblem(forgotten, (outcome) => self.tell({ kind: 'forgot', after, outcome }));
  }

  private get checkpointWriter(): CheckpointWriter {
    const { checkpointWriter } = this.tools;
    assert(checkpointWriter !== undefined, 'a run that is to be saved has a checkpoint writer');
    return checkpointWriter;
  }

  /** Passes on what comes of work with files, or what is wrong with them. */
  private withProblem<T>(work: Promise<T>, then: (outcome: T | { readonly problem: string }) => void): void {
    work.then(then, (error: unknown) => {
      if (!(error instanceof UserError)) return this.tools.onFailure(error);
      then({ problem: error.message });
    });
  }

  private await<T>(work: Promise<T>, then: (result: T) => void): void {
    work.then(then).catch(this.tools.onFailure);
  }
}
