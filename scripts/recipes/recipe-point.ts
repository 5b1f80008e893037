import type { Recipe, RecipeData } from '../../coordinator/recipe.js';
import { systemClock } from '../../shared/actor/clock.js';
import { stepsPerEpoch } from '../../shared/data/order.js';
import { weightsSha256 } from '../../shared/files/tensors.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import { constant } from '../../shared/optim/schedule.js';
import type { Progress } from '../terminal/progress.js';
import { LocalRun } from '../training/local-run.js';
import { RunWatch } from '../training/run-watch.js';

/** How a recipe is trained, apart from what it says itself. */
export interface RecipePoint {
  readonly workers: number;
  readonly backend: 'auto' | Backend;
  /** Instead of the recipe's length; without its metrics at the end. */
  readonly steps?: number | undefined;
}

/** What a recipe has come to. */
export interface RecipeOutcome {
  readonly steps: number;
  readonly seconds: number;
  readonly trainLoss: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly weightsSha256: string;
}

/**
 * Trains a recipe as `train` does, and leaves no files.
 * @returns undefined when it was interrupted
 * @throws Error when the run diverges, UserError as `LocalRun.prepare`
 */
export async function trainRecipe(
  recipe: Recipe,
  data: RecipeData,
  { workers, backend, steps: short }: RecipePoint,
  progress: Progress,
  interrupted: AbortSignal,
): Promise<RecipeOutcome | undefined> {
  const { batch, leaf, optimizer } = recipe;
  const perEpoch = stepsPerEpoch(data.train.manifest.samples, batch);
  const steps = short ?? recipe.steps ?? recipe.epochs * perEpoch;
  const watch = new RunWatch({ steps, stepsPerEpoch: perEpoch }, progress);
  const request = {
    ...{ recipe, data, batch, leaf, steps, workers, backend, optimizer, clipping: recipe.clipping },
    ...{ gradientNoise: recipe.gradientNoise },
    ...{ earlyStopping: recipe.earlyStopping, evaluateEvery: recipe.evaluateEvery },
    ...{ seed: 0, threads: 1, minWorkers: 1, audit: 0 },
    learningRate: optimizer.learningRate,
    schedule: recipe.schedule ?? constant(),
  };
  const begunMs = systemClock.nowMs();
  const run = await LocalRun.prepare(request, watch, systemClock);
  const interrupt = (): void => run.coordinator.interrupt();
  interrupted.addEventListener('abort', interrupt);
  try {
    run.begin(systemClock);
    const { reason, steps: done, restored } = await run.coordinator.ended;
    if (reason === 'interrupted') return undefined;
    if (reason === 'diverged') throw new Error(`the run is ${reason}`);
    const hash = weightsSha256(run.parameters());
    if (restored !== undefined)
      watch.reported({ event: 'restored', step: done, to: restored, weightsSha256: hash });
    if (short === undefined) await run.measure(done, watch);
    return {
      ...{ steps: done, trainLoss: watch.trainLoss, metrics: watch.metrics },
      seconds: (systemClock.nowMs() - begunMs) / 1000,
      weightsSha256: hash,
    };
  } finally {
    interrupted.removeEventListener('abort', interrupt);
    await run.close('the run is over');
  }
}
