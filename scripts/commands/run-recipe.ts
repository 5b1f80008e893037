import { readRunConfig } from '../../coordinator/storage/run-config.js';
import { loadRecipeData } from '../../trainer/evaluation-set.js';
import { availableCores } from '../../trainer/options/available-cores.js';
import {
  parseTrainOptions,
  stepsOf,
  type TrainOptions,
  type TrainSettings,
} from '../../trainer/options/train-options.js';
import type { Recipe, RecipeData } from '../../trainer/recipe.js';
import { withOptions } from '../../trainer/recipe-options.js';
import { findRecordedRecipe } from './recipes.js';

/** What an existing run was started with. */
export interface RunRecipe {
  readonly recipe: Recipe;
  readonly data: RecipeData;
  readonly settings: TrainSettings;
  readonly steps: number;
}

/**
 * Reads what a run was started with, and loads its recipe and data.
 * @param path the run directory
 * @param trustRecipe whether its recipe may be a file
 * @throws UserError when there is no such run, its recipe is a file that may not be run, or recipe or data cannot be loaded
 */
export async function recipeOfRun(path: string, trustRecipe: boolean): Promise<RunRecipe> {
  const config = await readRunConfig(path);
  const loaded = await findRecordedRecipe(path, config.recipe, trustRecipe, 'add --trust-recipe').load();
  const options = config.options as unknown as TrainOptions;
  const settings = parseTrainOptions(config.recipe, loaded, options, availableCores());
  const recipe = withOptions(loaded, settings);
  const data = await loadRecipeData(recipe, settings);
  return { recipe, data, settings, steps: stepsOf(settings, data.train.manifest.samples) };
}
