import { encodeCheckpoint, type RunProgress } from '../../coordinator/checkpoint.js';
import type { CheckpointStore } from '../../coordinator/checkpoint-store.js';
import type { coordinate } from '../../coordinator/coordinator.js';
import type { CoordinatorEffect, CoordinatorMessage } from '../../coordinator/messages.js';
import type { RunEvent } from '../../coordinator/observer.js';
import { isOwed } from '../../coordinator/rounds.js';
import { type CoordinatorState, initialState, type RunSettings } from '../../coordinator/state.js';
import { Actor } from '../../shared/actor/actor.js';
import { sha256Hex } from '../../shared/files/sha256.js';
import type { NodeToCoordinator } from '../../shared/protocol/messages.js';
import { tensorOf } from './arithmetic.js';
import type { VirtualWorkshop } from './virtual-workshop.js';

/** How often the coordinator looks who is still there, as in production. */
const TICK_MS = 500;

export type Sending = Extract<CoordinatorEffect, { kind: 'send' }>;

/** What a virtual coordinator needs of the world. */
export interface CoordinatorWorld {
  nowMs(): number;
  after(delayMs: number, act: () => void): void;
  toNode(sending: Sending, payload: Uint8Array): void;
  drop(id: string, reason: string): void;
  trace(text: () => string): void;
  /** The memory of the machine, and its disk; both outlive a process. */
  readonly workshop: VirtualWorkshop;
  readonly store: CheckpointStore;
  /** No local thread computes. */
  isAtRest(): boolean;
}

/** The decisions of a coordinator: the production's, or one that is wrong on purpose. */
export type Coordinate = typeof coordinate;

/** The production coordinator in virtual time, with every step's sum held to the canonical one. */
export class VirtualCoordinator {
  readonly workshop: VirtualWorkshop;
  isComplete = false;
  isSaving = false;
  /** Members that were expelled, and steps that were done anew for that. */
  expelled = 0;
  redone = 0;
  /** When the latest step was done. */
  steppedMs = 0;
  private readonly actor: Actor<CoordinatorState, CoordinatorMessage, CoordinatorEffect>;
  private isInterrupted = false;

  /** @param from what a run remembers that goes on */
  constructor(
    settings: RunSettings,
    private readonly world: CoordinatorWorld,
    decide: Coordinate,
    from?: RunProgress,
  ) {
    this.workshop = world.workshop;
    this.steppedMs = world.nowMs();
    this.actor = new Actor({
      name: 'coordinator',
      state: initialState(settings, world.nowMs(), from),
      transition: (state, message: CoordinatorMessage) => decide(state, message, world.nowMs()),
      perform: (effect: CoordinatorEffect) => this.perform(effect),
      onFailure: ({ error }) => {
        throw error;
      },
    });
    this.tick();
  }

  /** The process is gone. */
  kill(): void {
    this.actor.stop();
  }

  get state(): CoordinatorState {
    return this.actor.state;
  }

  tell(message: CoordinatorMessage): void {
    if (!this.isComplete) this.actor.tell(message);
  }

  /** Whether what a node says brings sums that can count. */
  isOwed(id: string, message: NodeToCoordinator): boolean {
    return message.kind === 'partials' && isOwed(this.state, id, message);
  }

  private tick(): void {
    this.world.after(TICK_MS, () => {
      this.tell({ kind: 'tick' });
      if (!this.isComplete && !this.actor.stopped) this.tick();
    });
  }

  private perform(effect: CoordinatorEffect): void {
    const { world, workshop } = this;
    switch (effect.kind) {
      case 'send':
        return world.toNode(effect, effect.attachment === 'weights' ? workshop.payload() : new Uint8Array(0));
      case 'drop':
        return world.drop(effect.id, effect.reason);
      case 'stride':
        return this.stride(effect);
      case 'interrupt-stride':
        this.isInterrupted = true;
        return;
      case 'finish':
        workshop.finish(effect.step, effect.arrived);
        this.stepped(effect.step);
        return world.after(0.2, () => this.tell({ kind: 'finished', metrics: [0] }));
      case 'compare':
        return this.tell({ kind: 'compared', ...workshop.compare(effect) });
      case 'wake':
        return world.after(effect.afterMs, () => this.tell({ kind: 'woken' }));
      case 'release':
        return workshop.release(effect.slots);
      case 'evaluate':
        return world.after(1, () => this.tell({ kind: 'evaluated', means: { loss: 1 } }));
      case 'notice':
        return world.trace(() => `coordinator: ${effect.text}`);
      case 'report':
        this.note(effect.event);
        return world.trace(() => `coordinator: ${describe(effect.event)}`);
      case 'complete':
        this.isComplete = true;
        return world.trace(() => `coordinator: the run is ${effect.reason}`);
      case 'checkpoint':
        void this.save(effect);
        return;
      case 'keep':
        return workshop.keep(effect.step, effect.forget);
      case 'restore':
        if (!world.isAtRest())
          throw new Error('weights are replaced while a local thread computes with them');
        return workshop.restore(effect.step, effect.forget);
      case 'watch':
        throw new Error('a look at backprop, though nobody asked for one');
      case 'admit':
      case 'show':
      case 'keep-best':
      case 'restore-best':
      case 'record':
        return;
      default:
        effect satisfies never;
    }
  }

  /** Saves the weights by the production's own store. */
  private async save({
    progress,
    isBack,
  }: Extract<CoordinatorEffect, { kind: 'checkpoint' }>): Promise<void> {
    const { world, workshop } = this;
    const { step } = progress;
    const parameters = [tensorOf(workshop.weights)];
    this.isSaving = true;
    const encoding = encodeCheckpoint({ progress, settings: {}, parameters, slots: [] }, sha256Hex);
    try {
      const { pieces, ...fingerprints } = await encoding;
      if (isBack) await world.store.forgetAfter(step);
      await world.store.save(progress, pieces);
      this.isSaving = false;
      this.tell({ kind: 'saved', step, outcome: fingerprints });
    } catch (error) {
      this.isSaving = false;
      world.trace(() => `coordinator: step ${step} is not saved, ${error}`);
      this.tell({ kind: 'saved', step, outcome: { problem: 'the disk' } });
    }
  }

  private note(event: RunEvent): void {
    if (event.event === 'reverted') this.redone += event.step - event.to;
    if (event.event !== 'expelled') return;
    this.expelled += 1;
    this.workshop.expelled(event.member);
  }

  /** Steps of the local threads, one after the other, until all are done or someone interrupts. */
  private stride({ step, shares, scalars }: Extract<CoordinatorEffect, { kind: 'stride' }>): void {
    const begunMs = this.world.nowMs();
    let done = 0;
    const next = (): void => {
      if (this.actor.stopped) return;
      if (done === scalars.length || this.isInterrupted) {
        this.isInterrupted = false;
        const elapsedMs = this.world.nowMs() - begunMs;
        return this.tell({ kind: 'strided', metrics: new Array(done).fill([0]), elapsedMs });
      }
      const leaves = Math.max(...shares.map(({ range }) => range.to - range.from));
      this.world.after(leaves, () => {
        if (this.actor.stopped) return;
        this.workshop.stride(
          step + done,
          shares.map(({ range }) => range),
        );
        this.stepped(step + done);
        done += 1;
        next();
      });
    };
    this.world.after(0, next);
  }

  private stepped(step: number): void {
    this.steppedMs = this.world.nowMs();
    this.world.trace(() => `coordinator: step ${step} is done`);
  }
}

function describe(event: RunEvent): string {
  return event.event === 'checkpoint' ? `the state of step ${event.step} is safe` : JSON.stringify(event);
}
