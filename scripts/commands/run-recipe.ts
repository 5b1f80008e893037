import { availableParallelism } from 'node:os';
import type { Recipe, RecipeData } from '../../coordinator/recipe.js';
import { readRunConfig } from '../../coordinator/run-record.js';
import { stepsPerEpoch } from '../../shared/data/order.js';
import { findRecipe } from './recipes.js';
import { parseTrainOptions, type TrainOptions, type TrainSettings } from './train-options.js';

/** What a run was made of. */
export interface RunRecipe {
  readonly recipe: Recipe;
  readonly data: RecipeData;
  readonly settings: TrainSettings;
  readonly steps: number;
}

/**
 * @param path the run's directory
 * @throws UserError when there is no run, or its recipe or data are not to be had
 */
export async function recipeOfRun(path: string): Promise<RunRecipe> {
  const config = await readRunConfig(path);
  const recipe = await findRecipe(config.recipe).load();
  const options = config.options as unknown as TrainOptions;
  const settings = parseTrainOptions(config.recipe, recipe, options, availableParallelism());
  const data = await recipe.data(settings.data);
  const { length, batch } = settings;
  const steps =
    'steps' in length ? length.steps : length.epochs * stepsPerEpoch(data.train.manifest.samples, batch);
  return { recipe, data, settings, steps };
}
