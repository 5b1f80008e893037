import type { ActorRef } from '../shared/actor/actor.js';
import { afterReading } from '../shared/actor/clock.js';
import type { Dataset } from '../shared/data/dataset.js';
import { assert, UserError } from '../shared/errors.js';
import type { Link } from '../shared/link/link.js';
import type { AnswersNews } from '../shared/protocol/example-news.js';
import type { Stop, WorkerToCoordinator } from '../shared/protocol/messages.js';
import { parseWorkerMessage } from '../shared/protocol/parse.js';
import { parseWatcherMessage } from '../shared/protocol/watch-messages.js';
import type { LeafRange } from '../shared/reduction/tree.js';
import type { BestWeights } from './compute/best-weights.js';
import type { CheckpointWriter } from './compute/checkpoint-writer.js';
import type { CoordinatorExecutor } from './compute/coordinator-executor.js';
import type { PartialSumBuffers } from './compute/partial-sum-buffers.js';
import type { Snapshots } from './compute/snapshots.js';
import { MemberLinks, type MemberLinkTools } from './member-links.js';
import { Watchers } from './membership/watchers.js';
import type { Completion, CoordinatorEffect, CoordinatorMessage } from './state/messages.js';
import type { Observer } from './state/observer.js';

/** What the coordinator's effects are carried out with. */
export interface CoordinatorTools extends Omit<MemberLinkTools, 'outgoing' | 'chunk'> {
  readonly executor: CoordinatorExecutor;
  readonly buffers: PartialSumBuffers;
  readonly snapshots: Snapshots;
  /** Where the best weights are kept, in a run that ends with them. */
  readonly best?: BestWeights | undefined;
  readonly dataset: Dataset;
  readonly observer: Observer;
  /** Saves the run, where that is asked for. */
  readonly checkpointWriter?: CheckpointWriter | undefined;
  /** An effect has failed for good, such as a compute thread that died: the run cannot go on. */
  readonly onFailure: (error: unknown) => void;
  /** The run is over. */
  readonly onComplete: (reason: Completion) => void;
}

type Save = Extract<CoordinatorEffect, { kind: 'checkpoint' }>;

/**
 * Carries out the coordinator's effects, and tells its mailbox what happens: both ends of a message's way from socket to
 * state (see transition.ts).
 */
export class CoordinatorEffectRunner {
  private readonly links: MemberLinks;
  private readonly watchers: Watchers;
  /** An execution that has not begun was interrupted. */
  private isExecutionVoid = false;

  constructor(private readonly tools: CoordinatorTools) {
    this.watchers = new Watchers(tools.clock);
    const { executor, dataset } = tools;
    this.links = new MemberLinks({
      ...tools,
      outgoing: (what) => executor.outgoing(what),
      chunk: (index) => dataset.chunk(index),
    });
  }

  /** Those who watch the run. */
  get followers(): Pick<Watchers, 'isWatched' | 'latest' | 'publish' | 'publishMembers'> {
    return this.watchers;
  }

  /**
   * A worker has connected.
   * @param self the coordinator
   * @param threads compute threads of this process that the worker uses, for a worker that lives in this process
   */
  accept(self: ActorRef<CoordinatorMessage>, link: Link, threads?: LeafRange): void {
    if (threads === undefined)
      return this.links.open(self, link, { parse: parseWorkerMessage, sharesMemory: false });
    this.links.open(self, link, {
      parse: (message) => message as WorkerToCoordinator,
      sharesMemory: true,
      onOpen: (id) => this.tools.executor.assignThreads(id, threads),
    });
  }

  /** A watcher has connected. */
  acceptWatcher(self: ActorRef<CoordinatorMessage>, link: Link): void {
    this.links.open(self, link, {
      parse: parseWatcherMessage,
      sharesMemory: false,
      onClosed: (id) => this.watchers.remove(id),
    });
  }

  /** Carries one effect out. */
  perform(effect: CoordinatorEffect, self: ActorRef<CoordinatorMessage>): void {
    const { executor, observer, buffers, snapshots, clock } = this.tools;
    switch (effect.kind) {
      case 'send':
      case 'send-chunk':
      case 'admit':
      case 'answer-operator':
      case 'drop':
        return this.links.perform(effect, self);
      case 'admit-watcher': {
        const link = this.links.link(effect.id);
        return link && this.watchers.add(effect.id, link, effect);
      }
      case 'publish':
        return this.watchers.publish(effect.report);
      case 'begin':
        return observer.begun?.(effect.step);
      case 'waited':
        return observer.waited?.(effect.ms);
      case 'execute':
        this.isExecutionVoid = false;
        return this.onceCaptured(() => {
          if (this.isExecutionVoid) return self.tell({ kind: 'executed', metrics: [], elapsedMs: 0 });
          const begunMs = clock.nowMs();
          this.await(executor.execute(effect), (outcome) =>
            self.tell({ kind: 'executed', ...outcome, elapsedMs: clock.nowMs() - begunMs }),
          );
        });
      case 'interrupt-execution':
        this.isExecutionVoid = true;
        return executor.interruptExecution();
      case 'begin-round':
        return executor.beginRound(effect.scalars);
      case 'finish':
        this.links.forgetSuperfluous();
        return this.onceCaptured(() =>
          this.await(executor.finish(effect), (outcome) => {
            buffers.release(effect.arrived.map(({ buffer }) => buffer));
            self.tell({ kind: 'finished', ...outcome });
          }),
        );
      case 'compare': {
        const { step, task, answers } = effect;
        return self.tell({ kind: 'compared', step, task, ...executor.compare(answers) });
      }
      case 'wake':
        afterReading(clock, effect.afterMs, () => self.tell({ kind: 'woken' }));
        return;
      case 'report':
        return observer.reported(effect.event);
      case 'release':
        return buffers.release(effect.buffers);
      case 'evaluate': {
        const startedMs = clock.nowMs();
        const { step } = effect;
        const work = executor
          .evaluate(step)
          .then(async (means) => ({ means, answers: await this.answer(step) }));
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
        this.confirmCaptured();
        this.links.keepUnsent();
        return snapshots.restore(effect.step);
      case 'keep-best':
        this.confirmCaptured();
        return this.tools.best?.keep();
      case 'restore-best':
        this.confirmCaptured();
        this.links.keepUnsent();
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
  shutdown(last: Stop, waitMs: number): Promise<void> {
    this.watchers.close();
    return this.links.shutdown(last, waitMs);
  }

  private save({ progress, isBack, ledger }: Save, self: ActorRef<CoordinatorMessage>): void {
    const { step } = progress;
    this.withProblem(this.checkpointWriter.write(progress, isBack, ledger), (outcome) =>
      self.tell({ kind: 'saved', step, outcome }),
    );
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

  /** What the model makes of some samples, as often as people can follow: a run may evaluate a thousand times a second. */
  private async answer(step: number): Promise<AnswersNews | undefined> {
    const { watchers } = this;
    return watchers.takesAnswers() ? this.tools.executor.answer(step, watchers.isOperated) : undefined;
  }

  /** Does what changes the vectors of the run, as soon as no checkpoint is read from them any more. */
  private onceCaptured(change: () => void): void {
    const captured = this.tools.checkpointWriter?.captured;
    const begin = (): void => {
      this.links.keepUnsent();
      change();
    };
    if (captured === undefined) begin();
    else this.await(captured, begin);
  }

  /** What changes the vectors at once comes when a step is done and nothing is being saved. */
  private confirmCaptured(): void {
    assert(this.tools.checkpointWriter?.captured === undefined, 'vectors change while they are being saved');
  }

  private await<T>(work: Promise<T>, then: (result: T) => void): void {
    work.then(then).catch(this.tools.onFailure);
  }
}
