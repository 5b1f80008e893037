import { UserError } from '../../shared/errors.js';
import { loadRecipeData } from '../../trainer/evaluation-set.js';
import { parseTrainOptions, stepsOf, type TrainOptions } from '../../trainer/options/train-options.js';
import { isRecipeFile, type Recipe, type RecipeData } from '../../trainer/recipe.js';
import { withOptions } from '../../trainer/recipe-options.js';
import type { ResolvedSession, SessionResolver } from '../../trainer/replay/session-check.js';
import { showWhile } from '../terminal/transient-note.js';
import { findRecipe } from './recipes.js';

/** What may be used to compute a run again. */
export interface ResolverSettings {
  /** The file of a recipe that may be run; undefined: none. */
  readonly recipe: string | undefined;
  /** Where the data are; undefined: where the run had them. */
  readonly data: string | undefined;
}

/**
 * Makes sessions out of what a run has recorded; recipes and data are loaded once.
 * @param stderr where it shows that data are being read
 */
export function sessionResolver(settings: ResolverSettings, stderr: NodeJS.WriteStream): SessionResolver {
  const recipes = new Map<string, Promise<Recipe>>();
  const datasets = new Map<string, Promise<RecipeData>>();
  return async ({ recipe: name, options, config }): Promise<ResolvedSession> => {
    // A folder of somebody else must not choose what is run here.
    if (isRecipeFile(name) && settings.recipe === undefined)
      throw new UserError(
        `it was trained with the recipe ${JSON.stringify(name)}, which is a file with code; if you trust it, add --recipe FILE`,
      );
    const recipe = await once(recipes, name, () =>
      findRecipe(isRecipeFile(name) ? (settings.recipe as string) : name).load(),
    );
    const cores = typeof config.workers === 'number' ? config.workers : 1;
    const all = parseTrainOptions(name, recipe, options as unknown as TrainOptions, cores);
    const place = settings.data ?? all.data;
    const data = await once(datasets, `${name} ${place} ${all.validation}`, () =>
      showWhile('reading data', stderr, () =>
        loadRecipeData(recipe, { data: place, validation: all.validation }),
      ),
    );
    return {
      request: {
        ...all,
        recipe: withOptions(recipe, all),
        data,
        steps: stepsOf(all, data.train.manifest.samples),
      },
      weights: all.weights,
      config: JSON.parse(JSON.stringify(all)) as Record<string, unknown>,
    };
  };
}

function once<T>(made: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const value = made.get(key) ?? make();
  made.set(key, value);
  return value;
}
