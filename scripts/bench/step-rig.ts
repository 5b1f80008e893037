import type { Recipe, RecipeData } from '../../coordinator/recipe.js';
import type { Clock } from '../../shared/actor/clock.js';
import { stepPlace } from '../../shared/data/order.js';
import { Crew, STRIDE_STEPS_MAX } from '../../shared/engine/crew.js';
import { granuleOf } from '../../shared/engine/granule.js';
import { Machine } from '../../shared/engine/machine.js';
import type { RunPlace, Updater } from '../../shared/engine/step-compiler.js';
import { weightsSha256 } from '../../shared/files/tensors.js';
import { createPlan } from '../../shared/graph/plan.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import type { OptimizerState } from '../../shared/optim/optimizer.js';
import { leafCount } from '../../shared/sum/leaves.js';
import { layOutOptimizer, layOutRun, parametersOf } from '../training/run-place.js';

/** What a rig trains, and on what. */
export interface RigRequest {
  readonly recipe: Pick<Recipe, 'model' | 'optimizer'>;
  readonly data: Omit<RecipeData, 'test'>;
  readonly batch: number;
  readonly leaf: number;
  readonly threads: number;
  readonly backend: 'auto' | Backend;
  /** See TeamOptions. */
  readonly threadEntry?: string;
}

/** Seed of all that is drawn; any would do. */
const SEED = 1;

/**
 * A machine that takes whole training steps and nothing else: strides on compute threads, without a coordinator. A step
 * gathers its samples, goes forward and backward, adds partial sums up and updates the weights.
 */
export class StepRig {
  /** Steps taken. */
  steps = 0;
  /** Milliseconds per step, as the latest window had them. */
  private msPerStep = 0;
  private state: OptimizerState;

  private constructor(
    readonly request: RigRequest,
    readonly machine: Machine,
    readonly place: RunPlace,
    readonly updater: Updater,
    private readonly crew: Crew,
    private readonly clock: Clock,
  ) {
    this.state = updater.optimizer.init();
  }

  /** @throws UserError when the backend is not to be had here */
  static async open(request: RigRequest, clock: Clock): Promise<StepRig> {
    const { recipe, data, leaf, batch, threads, backend, threadEntry } = request;
    const machine = await Machine.start(threads, backend, threadEntry);
    const plan = createPlan(recipe.model(data));
    const place = layOutRun(machine, { plan, data: data.train, leaf, seed: SEED });
    const updater = layOutOptimizer(machine, plan, recipe.optimizer);
    const crew = new Crew(machine.team, place, { batch, granule: granuleOf(plan, leaf) }, updater);
    return new StepRig(request, machine, place, updater, crew, clock);
  }

  /** Takes so many steps, in strides as long as a crew allows. */
  async advance(steps: number): Promise<void> {
    const { batch, leaf, threads, recipe } = this.request;
    const { samples } = this.place.data.manifest;
    for (let left = steps; left > 0; ) {
      const { size, position } = stepPlace(this.steps, samples, batch);
      // All steps of a stride have the same batch size and lie in one epoch.
      const alike = Math.max(1, Math.floor((samples - position) / batch));
      const count = Math.min(left, alike, STRIDE_STEPS_MAX);
      const share = { threads: { from: 0, to: threads }, leaves: { from: 0, to: leafCount(size, leaf) } };
      const scalars = Array.from({ length: count }, () => this.nextScalars(recipe.optimizer.learningRate));
      await this.crew.stride(this.steps, [share], scalars);
      this.steps += count;
      left -= count;
    }
  }

  /**
   * Times as many steps as fit into a window, at least one; the first window of a rig finds out how many that are.
   * @returns microseconds per step
   */
  async window(windowMs: number): Promise<number> {
    const steps = this.msPerStep === 0 ? 1 : Math.max(1, Math.round(windowMs / this.msPerStep));
    const begunMs = this.clock.nowMs();
    await this.advance(steps);
    this.msPerStep = (this.clock.nowMs() - begunMs) / steps;
    return this.msPerStep * 1000;
  }

  /** The identity of the weights as they are now. */
  weightsSha256(): string {
    return weightsSha256(parametersOf(this.place));
  }

  /** The build that the threads use. */
  get backend(): Backend {
    return this.machine.team.backend;
  }

  /** What it runs on, such as "avx512". */
  get detail(): string {
    return this.machine.team.detail;
  }

  close(): Promise<void> {
    return this.machine.stop();
  }

  private nextScalars(learningRate: number): readonly number[] {
    const { state, scalars } = this.updater.optimizer.update(this.state, learningRate);
    this.state = state;
    return scalars;
  }
}
