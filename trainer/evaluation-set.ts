import type { Dataset } from '../shared/data/dataset.js';
import { splitValidation } from '../shared/data/validation-split.js';
import { UserError } from '../shared/errors.js';
import { sha256Hex } from '../shared/files/sha256.js';
import type { Recipe, RecipeData } from './recipe.js';

/*
 * Which samples a run is evaluated on while it trains. Where there is a validation set, all that evaluations decide rests on
 * it: early stopping, the best weights, the rate after a plateau. The test set is then measured once, with the final weights.
 */

/** The set that evaluations use, and how their metrics are called: testLoss or validationLoss. */
export type EvaluationSetName = 'test' | 'validation';

/** The samples that evaluations use; undefined when there are none. */
export function evaluationSet({
  validation,
  test,
}: Pick<RecipeData, 'validation' | 'test'>): Dataset | undefined {
  return validation ?? test;
}

/** The name of the set that evaluations use. */
export function evaluationSetName({ validation }: Pick<RecipeData, 'validation'>): EvaluationSetName {
  return validation === undefined ? 'test' : 'validation';
}

/** Means over a data set under the names that results use: accuracy -> testAccuracy. */
export function namedMetrics(
  set: EvaluationSetName,
  means: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const named = (metric: string): string => `${set}${metric.slice(0, 1).toUpperCase()}${metric.slice(1)}`;
  return Object.fromEntries(Object.entries(means).map(([name, value]) => [named(name), value]));
}

/**
 * Loads the data of a recipe, and sets validation samples aside where that was asked for.
 * @param validation the share of the training samples; undefined: those of the recipe, if it has any
 * @throws UserError as the recipe does, or when it has validation samples of its own
 */
export async function loadRecipeData(
  recipe: Pick<Recipe, 'data'>,
  {
    data: path,
    validation: share,
  }: { readonly data: string | undefined; readonly validation: number | undefined },
): Promise<RecipeData> {
  const data = await recipe.data(path);
  if (share === undefined) return data;
  if (data.validation !== undefined)
    throw new UserError('the recipe has validation samples of its own; leave --validation out', 2);
  const { train, validation } = splitValidation(data.train, share, sha256Hex);
  const counts = `${validation.manifest.samples} of ${data.train.manifest.samples}`;
  const note = `${counts} training samples are set aside for validation; the test samples are measured once, at the end`;
  return { ...data, train, validation, notes: [...(data.notes ?? []), note] };
}
