import type { Observer } from '../../coordinator/observer.js';
import type { Recipe, RecipeData } from '../../coordinator/recipe.js';
import type { Clock } from '../../shared/actor/clock.js';
import { stepsPerEpoch } from '../../shared/data/order.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import { constant } from '../../shared/optim/schedule.js';
import { LocalRun } from '../training/local-run.js';

/** Epochs before the one that counts: code is compiled, strides have found their length. */
const WARM_EPOCHS = 2;

/** Notes when the steps of a run were done, leaving out its evaluations. */
class EpochWatch implements Observer {
  /** Milliseconds that each epoch took: from the evaluation before it to its last step. */
  readonly epochsMs: number[] = [];
  private begunMs: number;
  private latestMs = 0;

  constructor(private readonly clock: Clock) {
    this.begunMs = clock.nowMs();
  }

  stepped(): void {
    this.latestMs = this.clock.nowMs();
  }

  evaluated(): void {
    this.epochsMs.push(this.latestMs - this.begunMs);
    this.begunMs = this.clock.nowMs();
  }

  reported(): void {}

  watched(): void {}

  notice(): void {}
}

/**
 * Trains with a coordinator and one local node, as `train` does.
 * @param windowMs how long the epochs that count should take together
 * @param usPerStep microseconds that a step takes, roughly
 * @returns microseconds per step of each epoch that counts
 */
export async function coordinatedSteps(
  recipe: Recipe,
  data: RecipeData,
  batch: number,
  backend: Backend,
  { windowMs, usPerStep }: { windowMs: number; usPerStep: number },
  clock: Clock,
): Promise<number[]> {
  const perEpoch = stepsPerEpoch(data.train.manifest.samples, batch);
  const epochs = WARM_EPOCHS + Math.max(1, Math.round((windowMs * 1000) / (usPerStep * perEpoch)));
  const watch = new EpochWatch(clock);
  const request = {
    ...{
      recipe,
      data,
      batch,
      leaf: Math.min(recipe.leaf, batch),
      steps: epochs * perEpoch,
      seed: 1,
      backend,
    },
    ...{
      schedule: constant(),
      optimizer: recipe.optimizer,
      learningRate: recipe.optimizer.learningRate,
      workers: 1,
      threads: 1,
      minWorkers: 1,
      audit: 0,
    },
  };
  const run = await LocalRun.prepare(request, watch, clock);
  try {
    run.begin(clock);
    await run.coordinator.ended;
  } finally {
    await run.close('measured');
  }
  return watch.epochsMs.slice(WARM_EPOCHS).map((epochMs) => (epochMs * 1000) / perEpoch);
}
