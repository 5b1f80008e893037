import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as v from 'valibot';
import type { Recipe } from '../../coordinator/recipe.js';
import { UserError } from '../../shared/errors.js';

const aFunction = v.custom<() => unknown>(
  (value) => typeof value === 'function',
  'a function is needed here',
);
const positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** What every recipe has; the rest is checked where it is used. */
const RecipeSchema = v.looseObject({
  summary: v.string(),
  model: aFunction,
  data: aFunction,
  optimizer: v.looseObject({ name: v.string(), learningRate: v.number() }),
  batch: positive,
  leaf: positive,
  epochs: positive,
});

/** Whether a name is the path of somebody's own recipe, rather than one of ours. */
export function isRecipeFile(name: string): boolean {
  return /[/\\]|\.[cm]?[jt]s$/.test(name);
}

/**
 * Loads somebody's own recipe: a module, JavaScript or TypeScript, that exports `recipe`.
 * @param path as it was typed
 * @throws UserError when there is no such file, it cannot be loaded, or what it exports is no recipe
 */
export async function loadRecipeFile(path: string): Promise<Recipe> {
  const file = resolve(path);
  if (!existsSync(file)) throw new UserError(`there is no recipe file ${path}; check the path`, 2);
  // Node 20 does not read TypeScript by itself. Not taken back: a recipe may load more of it when it is asked for data.
  if (/ts$/.test(file)) (await import('tsx/esm/api')).register();
  let exported: Record<string, unknown>;
  try {
    exported = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof UserError) throw error;
    const [reason] = (error instanceof Error ? error.message : String(error)).trim().split('\n');
    throw new UserError(`cannot load ${path}: ${reason}`);
  }
  if (exported.recipe === undefined)
    throw new UserError(`${path} exports no recipe; write "export const recipe = { ... }"`);
  const { success, issues } = v.safeParse(RecipeSchema, exported.recipe);
  if (success) return exported.recipe as Recipe;
  const [issue] = issues;
  throw new UserError(`the recipe in ${path} is incomplete: ${v.getDotPath(issue) ?? ''}: ${issue.message}`);
}
