import type { Clock } from '../../shared/actor/clock.js';
import { createPlan } from '../../shared/compiler/plan.js';
import { stepPlace } from '../../shared/data/order.js';
import { Device } from '../../shared/engine/device.js';
import { nodePlatform } from '../../shared/engine/node-platform.js';
import type { RunMemory } from '../../shared/engine/run-memory.js';
import { leavesPerGroupOf } from '../../shared/engine/step/leaves-per-group.js';
import { STEPS_PER_EXECUTION_MAX, StepExecutor } from '../../shared/engine/step/step-executor.js';
import type { Updater } from '../../shared/engine/step/updater.js';
import { allocateOptimizer } from '../../shared/engine/update-memory.js';
import { weightsSha256 } from '../../shared/files/tensors.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import type { OptimizerState } from '../../shared/optim/optimizer.js';
import { createOptimizer } from '../../shared/optim/settings.js';
import { leafCount } from '../../shared/reduction/tree.js';
import type { Recipe, RecipeData } from '../../trainer/recipe.js';
import { allocateRun, parametersOf } from '../../trainer/training-memory.js';

/** What a rig trains, and with which settings. */
export interface RigRequest {
  readonly recipe: Pick<Recipe, 'model' | 'optimizer'>;
  readonly data: Omit<RecipeData, 'test'>;
  readonly batch: number;
  readonly leafSize: number;
  readonly threads: number;
  readonly backend: 'auto' | Backend;
  /** File of the compute threads, in place of the engine's own. */
  readonly threadEntry?: string;
}

/** Seed of all random numbers; any would do. */
const SEED = 1;

/**
 * Runs whole training steps on compute threads, without a coordinator. A step gathers its samples, computes the forward
 * and backward pass, reduces the partial sums and updates the weights.
 */
export class StepRig {
  /** Steps taken. */
  steps = 0;
  /** Milliseconds per step in the latest window. */
  private msPerStep = 0;
  private state: OptimizerState;

  private constructor(
    readonly request: RigRequest,
    readonly device: Device,
    readonly runMemory: RunMemory,
    readonly updater: Updater,
    private readonly stepExecutor: StepExecutor,
    private readonly clock: Clock,
  ) {
    this.state = updater.optimizer.init();
  }

  /** @throws UserError when this device does not have the backend */
  static async open(request: RigRequest, clock: Clock): Promise<StepRig> {
    const { recipe, data, leafSize, batch, threads, backend, threadEntry } = request;
    const device = await Device.start(threads, backend, nodePlatform(threadEntry));
    const plan = createPlan(recipe.model(data));
    const runMemory = allocateRun(device, { plan, data: data.train, leafSize, seed: SEED });
    const updater = allocateOptimizer(device, plan, { optimizer: createOptimizer(recipe.optimizer) });
    const stepExecutor = new StepExecutor(
      device.threadPool,
      runMemory,
      { batch, leavesPerGroup: leavesPerGroupOf(plan, leafSize) },
      updater,
    );
    return new StepRig(request, device, runMemory, updater, stepExecutor, clock);
  }

  /** Runs `steps` steps, with as many steps per execution as possible. */
  async advance(steps: number): Promise<void> {
    const { batch, leafSize, threads, recipe } = this.request;
    const { samples } = this.runMemory.data.manifest;
    for (let left = steps; left > 0; ) {
      const { size, position } = stepPlace(this.steps, samples, batch);
      // All steps of an execution have the same batch size and lie in one epoch.
      const alike = Math.max(1, Math.floor((samples - position) / batch));
      const count = Math.min(left, alike, STEPS_PER_EXECUTION_MAX);
      const share = { threads: { from: 0, to: threads }, leaves: { from: 0, to: leafCount(size, leafSize) } };
      const scalars = Array.from({ length: count }, () => this.nextScalars(recipe.optimizer.learningRate));
      await this.stepExecutor.execute(this.steps, [share], scalars);
      this.steps += count;
      left -= count;
    }
  }

  /**
   * Times as many steps as fit into a window, at least one. The first window of a rig runs one step, as an estimate.
   * @returns microseconds per step
   */
  async window(windowMs: number): Promise<number> {
    const steps = this.msPerStep === 0 ? 1 : Math.max(1, Math.round(windowMs / this.msPerStep));
    const begunMs = this.clock.nowMs();
    await this.advance(steps);
    this.msPerStep = (this.clock.nowMs() - begunMs) / steps;
    return this.msPerStep * 1000;
  }

  /** Hash of the present weights. */
  weightsSha256(): string {
    return weightsSha256(parametersOf(this.runMemory));
  }

  /** The kernels' build that the threads use. */
  get backend(): Backend {
    return this.device.threadPool.backend;
  }

  /** The backend's instruction set, such as "avx512". */
  get detail(): string {
    return this.device.threadPool.detail;
  }

  close(): Promise<void> {
    return this.device.stop();
  }

  private nextScalars(learningRate: number): readonly number[] {
    const { state, scalars } = this.updater.optimizer.update(this.state, learningRate);
    this.state = state;
    return scalars;
  }
}
