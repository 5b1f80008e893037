import type { Recipe } from '../../../trainer/recipe.js';
import { WORKLOADS, type Workload } from '../../bench/workloads.js';

const { summary, model, data, optimizer, batch, leafSize, epochs } = WORKLOADS.find(
  ({ name }) => name === 'mlp512',
) as Workload;

/** A workload of the benchmarks as a recipe file, which `train` takes. */
export const recipe: Recipe = { summary, model, data, optimizer, batch, leafSize, epochs };
