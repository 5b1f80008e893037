import { IncomingSums } from '../coordinator/compute/incoming-sums.js';
import { type CoordinatorState, initialState } from '../coordinator/coordinator-state.js';
import { isOwed, owedVectors } from '../coordinator/scheduling/answers.js';
import type { Completion, CoordinatorEffect, CoordinatorMessage } from '../coordinator/state/messages.js';
import type { RunEvent } from '../coordinator/state/observer.js';
import type { RunSettings } from '../coordinator/state/run-settings.js';
import { encodeCheckpoint, type RunProgress } from '../coordinator/storage/checkpoint.js';
import type { CheckpointStore } from '../coordinator/storage/checkpoint-store.js';
import type { AuditMemory } from '../coordinator/storage/member-ledger.js';
import type { coordinate } from '../coordinator/transition.js';
import { Actor } from '../shared/actor/actor.js';
import { sha256Hex } from '../shared/files/sha256.js';
import { ProtocolError } from '../shared/protocol/checked.js';
import type { WorkerToCoordinator } from '../shared/protocol/messages.js';
import { lossOf, tensorOf } from './arithmetic.js';
import { describeEvent } from './description.js';
import { RehearsalChecks } from './rehearsal-checks.js';
import type { UpperEnd } from './upper-end.js';
import type { VirtualExecutor } from './virtual-executor.js';

/** How often the coordinator looks for silent members, as in production. */
const TICK_MS = 500;

export type Send = Extract<CoordinatorEffect, { kind: 'send' }>;

/** What a virtual coordinator needs of the virtual cluster. */
export interface CoordinatorEnvironment {
  nowMs(): number;
  after(delayMs: number, act: () => void): void;
  toWorker(send: Send): void;
  drop(id: string, reason: string): void;
  trace(text: () => string): void;
  reported(event: RunEvent): void;
  removesCheckpoints(): void;
  localStepBegins(step: number): void;
  /** The sum of a step is in the weights. */
  stepDone(): void;
  /** The machine's memory and disk. They outlive a process; a restarted process resets the memory (`resume`). */
  readonly executor: VirtualExecutor;
  readonly store: CheckpointStore;
  /** No local worker computes. */
  isAtRest(): boolean;
}

/** The coordinator's transition: production's, or a mutant. */
export type Coordinate = typeof coordinate;

/** One process of the production coordinator in virtual time: carries its effects out. */
export class VirtualCoordinator implements UpperEnd {
  readonly name = 'coordinator';
  readonly executor: VirtualExecutor;
  /** Why the run is over; undefined while it is not. */
  completion: Completion | undefined;
  isSaving = false;
  /** Members that were expelled, and steps that were rolled back for that. */
  expelled = 0;
  redone = 0;
  /** When the latest step was done. */
  steppedMs = 0;
  private readonly incoming: IncomingSums;
  private readonly rehearsals = new RehearsalChecks();
  private readonly actor: Actor<CoordinatorState, CoordinatorMessage, CoordinatorEffect>;
  /** The round whose state is in place. */
  private roundBegun: number | undefined;
  private isInterrupted = false;

  /**
   * @param from the progress of a run that is resumed
   * @param memory what it remembers of its members
   */
  constructor(
    private readonly settings: RunSettings,
    private readonly environment: CoordinatorEnvironment,
    decide: Coordinate,
    from?: RunProgress,
    memory?: AuditMemory,
  ) {
    this.executor = environment.executor;
    this.incoming = new IncomingSums(
      this.executor,
      (id, task) => owedVectors(this.state.scheduling, id, task),
      (id, message) => isOwed(this.state.scheduling, id, message),
    );
    this.steppedMs = environment.nowMs();
    this.actor = new Actor({
      name: 'coordinator',
      state: initialState(settings, environment.nowMs(), from, memory),
      transition: (state, message: CoordinatorMessage) => decide(state, message, environment.nowMs()),
      perform: (effect: CoordinatorEffect) => this.perform(effect),
      onFailure: ({ error }) => {
        throw error;
      },
    });
    this.tick();
  }

  /** Ends the process. */
  kill(): void {
    this.actor.stop();
  }

  get isRunning(): boolean {
    return !this.actor.stopped;
  }

  hear(message: Parameters<UpperEnd['hear']>[0]): void {
    this.tell(message);
  }

  outgoing(what: 'weights' | 'update'): Uint8Array {
    return this.executor.outgoing(what);
  }

  whenHere(_what: 'weights' | 'update', _index: number, act: () => void): void {
    act();
  }

  get isComplete(): boolean {
    return this.completion !== undefined;
  }

  get state(): CoordinatorState {
    return this.actor.state;
  }

  tell(message: CoordinatorMessage): void {
    if (!this.isComplete) this.actor.tell(message);
  }

  /** A message of a remote worker arrives, as in production. */
  receive(id: string, message: WorkerToCoordinator, payload: Uint8Array, by: string): void {
    try {
      const buffers = this.incoming.receive(id, message, payload);
      this.executor.completed(buffers, by);
      // A relay that says who was wrong stays: what it sends counts when it is confirmed.
      if (message.kind === 'partial-sums' && buffers.length > 0 && message.parts === undefined) {
        const isWrong = (): boolean => this.executor.isWrong(message.step, message.nodes, buffers);
        this.rehearsals.answered(id, message, by, isWrong, this.environment.nowMs());
      }
      this.tell({ kind: 'received', id, message, buffers });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.tell({ kind: 'garbled', id, reason: error.message });
    }
  }

  /** A connection is gone. */
  disconnected(id: string, reason: string): void {
    if (!this.isComplete && !this.actor.stopped) this.incoming.forgetMember(id);
    this.rehearsals.left(id);
    this.tell({ kind: 'disconnected', id, reason });
  }

  private tick(): void {
    const { environment } = this;
    environment.after(TICK_MS, () => {
      this.tell({ kind: 'tick', secret: String(environment.nowMs()) });
      if (!this.isComplete && !this.actor.stopped) this.tick();
    });
  }

  private perform(effect: CoordinatorEffect): void {
    const { environment, executor } = this;
    switch (effect.kind) {
      case 'send':
        this.checkRound(effect);
        if (effect.message.kind === 'work' && effect.attachment !== 'none') {
          const isCopied = effect.attachment === 'kept-weights';
          this.rehearsals.sent(effect.id, effect.message, isCopied, environment.nowMs());
        }
        return environment.toWorker(effect);
      case 'send-chunk': {
        const { id, index } = effect;
        const message = { kind: 'chunk', index } as const;
        environment.toWorker({ kind: 'send', id, message, attachment: 'none' });
        environment.after(0.1, () => {
          this.tell({ kind: 'chunk-sent', id });
          this.tell({ kind: 'data-due' });
        });
        return;
      }
      case 'drop':
        return environment.drop(effect.id, effect.reason);
      case 'execute':
        return this.execute(effect);
      case 'interrupt-execution':
        this.isInterrupted = true;
        return;
      case 'finish':
        return this.finish(effect);
      case 'compare':
        return this.tell({ kind: 'compared', ...executor.compare(effect) });
      case 'wake':
        return environment.after(effect.afterMs, () => this.tell({ kind: 'woken' }));
      case 'release':
        return executor.release(effect.buffers);
      case 'evaluate':
        return this.evaluate();
      case 'notice':
        return environment.trace(() => `coordinator: ${effect.text}`);
      case 'report':
        this.onReport(effect.event);
        return environment.trace(() => `coordinator: ${describeEvent(effect.event)}`);
      case 'complete':
        this.incoming.forgetAll();
        this.completion = effect.reason;
        return environment.trace(() => `coordinator: the run is ${effect.reason}`);
      case 'checkpoint':
        void this.save(effect);
        return;
      case 'forget-checkpoints':
        void this.forgetCheckpoints(effect.after);
        return;
      case 'keep-snapshot':
        return executor.keepSnapshot(effect.step, effect.forget);
      case 'restore-snapshot':
        if (!environment.isAtRest())
          throw new Error('weights are replaced while a local worker computes with them');
        this.rehearsals.drop();
        return executor.restoreSnapshot(effect.step, effect.forget);
      case 'inspect':
        throw new Error('backprop is inspected, though the settings do not ask for it');
      case 'keep-best':
        return executor.keepBest();
      case 'restore-best':
        return executor.restoreBest();
      case 'begin-round':
        this.roundBegun = effect.step;
        return;
      case 'admit':
      case 'admit-watcher':
      case 'answer-operator':
      case 'begin':
      case 'waited':
      case 'publish':
      case 'record':
        return;
      default:
        effect satisfies never;
    }
  }

  /** The state of a round holds the learning rates of its steps, which a member is to get with the weights. */
  private checkRound({ message, attachment }: Extract<CoordinatorEffect, { kind: 'send' }>): void {
    if (this.settings.local === undefined || message.kind !== 'work' || attachment === 'none') return;
    if (message.step !== this.roundBegun)
      throw new Error(`the state of round ${message.step} was sent before the round began`);
  }

  private finish({ step, arrived }: Extract<CoordinatorEffect, { kind: 'finish' }>): void {
    this.incoming.forgetSuperfluous();
    this.rehearsals.added(step, this.executor.leavesOf(step), this.executor.origins(step, arrived));
    const isBroken = !this.executor.finish(step, arrived);
    if (!isBroken) this.stepDone(step);
    this.environment.after(0.2, () => this.tell({ kind: 'finished', metrics: [0], isBroken }));
  }

  /** An evaluation. Where it decides nothing but when the run is saved, every loss is the same. */
  private evaluate(): void {
    const { weights } = this.executor;
    this.environment.after(1, () => {
      if (this.actor.stopped) return;
      if (this.executor.weights !== weights) throw new Error('weights changed while they were evaluated');
      const loss = this.settings.earlyStopping === undefined ? 1 : lossOf(weights);
      this.tell({ kind: 'evaluated', means: { loss } });
    });
  }

  /** Saves the weights with the production's own checkpoint store. */
  private async save({
    progress,
    isBack,
    ledger,
  }: Extract<CoordinatorEffect, { kind: 'checkpoint' }>): Promise<void> {
    const { environment, executor } = this;
    const { step } = progress;
    const parameters = [tensorOf(executor.weights)];
    this.isSaving = true;
    const best = executor.best === undefined ? [] : [tensorOf(executor.best)];
    const residual = [tensorOf(executor.residual)];
    const vectors = { parameters, buffers: [], best, residual };
    const encoding = encodeCheckpoint({ progress, settings: {}, ...vectors }, sha256Hex);
    try {
      const { pieces, ...fingerprints } = await encoding;
      if (isBack) {
        environment.removesCheckpoints();
        await environment.store.forgetAfter(step);
      }
      await environment.store.save(progress, pieces, ledger);
      this.isSaving = false;
      this.tell({ kind: 'saved', step, outcome: fingerprints });
    } catch (error) {
      this.isSaving = false;
      environment.trace(() => `coordinator: step ${step} is not saved, ${error}`);
      this.tell({ kind: 'saved', step, outcome: { problem: 'the disk' } });
    }
  }

  private async forgetCheckpoints(after: number): Promise<void> {
    const { environment } = this;
    this.isSaving = true;
    environment.removesCheckpoints();
    const newest = await environment.store.forgetAfter(after);
    this.isSaving = false;
    this.tell({ kind: 'forgot', after, outcome: { newest } });
  }

  private onReport(event: RunEvent): void {
    this.environment.reported(event);
    if (event.event === 'rolled-back') this.redone += event.step - event.to;
    if (event.event !== 'expelled') return;
    this.expelled += 1;
    // Without an audit, no states are kept that a run could roll back to.
    const by = / \(below (.+)\)$/.exec(event.member)?.[1] ?? event.member;
    if (this.settings.audit.fraction > 0) this.executor.expelled(by);
    this.rehearsals.expelled(by);
  }

  /** Steps of the local workers, one after the other, until all are done or the execution is interrupted. */
  private execute({ step, shares, scalars }: Extract<CoordinatorEffect, { kind: 'execute' }>): void {
    const { environment } = this;
    const begunMs = environment.nowMs();
    let done = 0;
    const next = (): void => {
      if (this.actor.stopped) return;
      if (done === scalars.length || this.isInterrupted) {
        this.isInterrupted = false;
        const elapsedMs = environment.nowMs() - begunMs;
        return this.tell({ kind: 'executed', metrics: new Array(done).fill([0]), elapsedMs });
      }
      environment.localStepBegins(step + done);
      const leaves = Math.max(...shares.map(({ range }) => range.to - range.from));
      environment.after(leaves, () => {
        if (this.actor.stopped) return;
        this.executor.executeStep(
          step + done,
          shares.map(({ range }) => range),
        );
        this.stepDone(step + done);
        done += 1;
        next();
      });
    };
    environment.after(0, next);
  }

  private stepDone(step: number): void {
    this.steppedMs = this.environment.nowMs();
    this.environment.trace(() => `coordinator: step ${step} is done`);
    this.environment.stepDone();
  }
}
