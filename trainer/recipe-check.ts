import { systemClock } from '../shared/actor/clock.js';
import { epochsAfter, innerBatch } from '../shared/data/step-shape.js';
import { weightsSha256 } from '../shared/files/tensors.js';
import type { Backend } from '../shared/kernels/kernels.js';
import { localOf } from '../shared/optim/local-updates.js';
import { constant } from '../shared/optim/schedule.js';
import { evaluationSetName } from './evaluation-set.js';
import { runSteps, stepsOfRun } from './local-run.js';
import type { Goal, Recipe, RecipeData } from './recipe.js';
import { type Progress, RunLogger } from './run-logger.js';
import { Trainer } from './trainer.js';

/** How a recipe is trained, besides its own settings. */
export interface RecipePoint {
  readonly workers: number;
  readonly backend: 'auto' | Backend;
  /** Train only so many steps, and skip the recipe's own metrics. */
  readonly steps?: number | undefined;
}

/** The result of training a recipe. */
export interface RecipeOutcome {
  readonly steps: number;
  readonly seconds: number;
  readonly trainLoss: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly weightsSha256: string;
}

/**
 * Trains a recipe as `train` does, without a run directory.
 * @throws Error when the run diverges, UserError as `Trainer.prepare`
 */
export async function trainRecipe(
  recipe: Recipe,
  data: RecipeData,
  { workers, backend, steps: stepsMax }: RecipePoint,
  progress: Progress,
): Promise<RecipeOutcome> {
  const { batch, optimizer, sync } = recipe;
  const local = localOf(sync);
  const leafSize = Math.min(recipe.leafSize, innerBatch({ batch, local }));
  const shape = { samples: data.train.manifest.samples, batch, leafSize, local };
  const length =
    recipe.steps === undefined ? { epochs: recipe.epochs } : { steps: runSteps(sync, recipe.steps) };
  const steps = stepsMax ?? stepsOfRun(length, shape);
  const evaluatedOn = evaluationSetName(data);
  const logger = new RunLogger(
    { steps, epochsAfter: (done) => epochsAfter(shape, done), evaluatedOn },
    progress,
  );
  const request = {
    ...{ recipe, data, batch, leafSize, steps, workers, backend, optimizer, clipping: recipe.clipping },
    ...{ gradientNoise: recipe.gradientNoise, compress: recipe.compress },
    ...{ earlyStopping: recipe.earlyStopping, sync },
    evaluateEvery: recipe.evaluateEvery && runSteps(sync, recipe.evaluateEvery),
    ...{ seed: 0, threads: 1, minWorkers: 1, audit: 0 },
    learningRate: optimizer.learningRate,
    schedule: recipe.schedule ?? constant(),
  };
  const startedMs = systemClock.nowMs();
  const trainer = await Trainer.prepare(request, logger, systemClock);
  try {
    trainer.start();
    const { reason, steps: done, restored } = await trainer.ended();
    if (reason === 'diverged') throw new Error(`the run has diverged after step ${done}`);
    const hash = weightsSha256(trainer.parameters());
    if (restored !== undefined)
      logger.reported({ event: 'restored', step: done, to: restored, weightsSha256: hash });
    if (stepsMax === undefined) await trainer.measure(done, logger);
    return {
      ...{ steps: done, trainLoss: logger.trainLoss, metrics: logger.metrics },
      seconds: (systemClock.nowMs() - startedMs) / 1000,
      weightsSha256: hash,
    };
  } finally {
    await trainer.close('the run is over');
  }
}

/** Whether a recipe has reached its goal. A metric that is missing has not reached it. */
export function isReached(goal: Goal, metrics: Readonly<Record<string, number>>): boolean {
  const value = metrics[goal.metric] ?? Number.NaN;
  return 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost;
}

/** Such as "testAccuracy 0.9227 (at least 0.92)". */
export function describeGoal(goal: Goal, metrics: Readonly<Record<string, number>>): string {
  const bound = 'atLeast' in goal ? `at least ${goal.atLeast}` : `at most ${goal.atMost}`;
  return `${goal.metric} ${metrics[goal.metric]?.toFixed(4) ?? 'missing'} (${bound})`;
}
