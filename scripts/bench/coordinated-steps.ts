import type { Observer } from '../../coordinator/state/observer.js';
import type { Clock } from '../../shared/actor/clock.js';
import { stepsPerEpoch } from '../../shared/data/order.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import { constant } from '../../shared/optim/schedule.js';
import type { Recipe, RecipeData } from '../../trainer/recipe.js';
import { Trainer } from '../../trainer/trainer.js';

/** Epochs that are not counted: code is being compiled, and steps per execution still grow. */
const WARM_EPOCHS = 2;

/** Measures the epochs of a run without its evaluations. */
class EpochObserver implements Observer {
  /** Milliseconds of each epoch: from the end of the previous evaluation to the epoch's last step. */
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

  inspected(): void {}

  notice(): void {}
}

/**
 * Trains with a coordinator and one local worker, as `train` does.
 * @param windowMs the total time that the counted epochs should take
 * @param usPerStep a rough estimate of the microseconds per step
 * @returns microseconds per step of each counted epoch
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
  const observer = new EpochObserver(clock);
  const request = {
    ...{
      recipe,
      data,
      batch,
      leafSize: Math.min(recipe.leafSize, batch),
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
  const run = await Trainer.prepare(request, observer, clock);
  try {
    run.start();
    await run.coordinator.ended;
  } finally {
    await run.close('measured');
  }
  return observer.epochsMs.slice(WARM_EPOCHS).map((epochMs) => (epochMs * 1000) / perEpoch);
}
