import { packSamples } from '../../shared/data/samples.js';
import { Graph } from '../../shared/graph/graph.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import { constant } from '../../shared/optim/schedule.js';
import { sgd } from '../../shared/optim/sgd.js';
import type { Recipe, RecipeData } from '../../trainer/recipe.js';
import type { RunRequest } from '../../trainer/run-plan.js';
import { spread } from '../support/numbers.js';

const SAMPLES = 24;

function dataOf(name: string, seed: number) {
  const rows = Array.from({ length: SAMPLES }, (_, i) => spread(seed + i, 3));
  return packSamples(name, {
    x: { shape: [3], values: rows.map((row) => [...row]) },
    y: { shape: [1], values: rows.map(([a = 0, b = 0, c = 0]) => [a - 2 * b + c]) },
  });
}

const DATA: RecipeData = { train: dataOf('small', 1), test: dataOf('small-test', 100) };

/** A linear function of three features. */
const RECIPE: Recipe = {
  summary: 'a linear function',
  model() {
    const graph = new Graph();
    return graph.model(dense(1)(graph.input('x', [3])), meanSquaredError({ target: 'y' }));
  },
  data: async () => DATA,
  optimizer: sgd({ learningRate: 0.1 }),
  batch: 8,
  leafSize: 2,
  epochs: 2,
};

/** A request to train it for six steps with one local worker. */
export function smallRequest(changes: Partial<RunRequest> = {}): RunRequest {
  return {
    ...{ recipe: RECIPE, data: DATA, batch: 8, leafSize: 2, steps: 6, seed: 1 },
    ...{ optimizer: RECIPE.optimizer, learningRate: 0.1, schedule: constant() },
    ...{ workers: 1, threads: 1, backend: 'auto' as const, minWorkers: 1, audit: 0 },
    ...changes,
  };
}
