import { UserError } from '../../shared/errors.js';
import { nearest } from '../terminal/nearest.js';

/** What a recipe trains with when the command line does not say otherwise. All of it reaches the weights. */
export interface RecipeDefaults {
  /** One line for `--help`. */
  readonly summary: string;
  /** Samples of a step, over all workers. */
  readonly batch: number;
  /** Samples of one leaf of the canonical sum. */
  readonly leaf: number;
  readonly epochs: number;
  readonly learningRate: number;
}

/** Recipe of `unisum train` without a name. */
export const DEFAULT_RECIPE = 'mnist-mlp';

/** Every recipe by name. */
export const RECIPES: Readonly<Record<string, RecipeDefaults>> = {
  'mnist-mlp': {
    summary: 'handwritten digits with a small dense network: 784-10-10, Adam, cross-entropy',
    batch: 128,
    leaf: 16,
    epochs: 5,
    learningRate: 0.001,
  },
};

/**
 * @throws {UserError} (wrong usage) when there is no such recipe, with the nearest one or the whole list
 */
export function findRecipe(
  name: string,
  recipes: Readonly<Record<string, RecipeDefaults>> = RECIPES,
): RecipeDefaults {
  const names = Object.keys(recipes);
  const found = names.includes(name) ? recipes[name] : undefined;
  if (found) return found;
  const near = nearest(name, names);
  const mend = near ? `did you mean ${near}?` : `the recipes are: ${names.join(', ')}`;
  throw new UserError(`there is no recipe "${name}"; ${mend}`, 2);
}
