import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as v from 'valibot';
import type { Recipe, RecipeData } from '../../coordinator/recipe.js';
import { parseManifest } from '../../shared/data/manifest.js';
import { UserError } from '../../shared/errors.js';
import { STACK_VARIABLE } from '../terminal/failure.js';

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
  if (success) return guarded(exported.recipe as Recipe, path);
  const [issue] = issues;
  throw new UserError(`the recipe in ${path} is incomplete: ${v.getDotPath(issue) ?? ''}: ${issue.message}`);
}

/** The same recipe, whose functions tell what is wrong with them as somebody's own, and with what they return. */
function guarded(recipe: Recipe, path: string): Recipe {
  const { metrics } = recipe;
  return {
    ...recipe,
    model: (data) => {
      const model = own(path, 'model', () => recipe.model(data));
      if (typeof model === 'object' && 'loss' in model) return model;
      throw new UserError(
        `model() in ${path} returns no model; end it with "return graph.model(output, loss)"`,
      );
    },
    data: async (directory) => checkedData(path, await ownAsync(path, 'data', () => recipe.data(directory))),
    ...(metrics && {
      metrics: (...args) => ownAsync(path, 'metrics', () => metrics(...args)),
    }),
  };
}

function checkedData(path: string, data: RecipeData): RecipeData {
  for (const side of ['train', 'test'] as const) {
    const dataset = data?.[side];
    if (typeof dataset?.chunk !== 'function')
      throw new UserError(`data() in ${path} returns no data set "${side}"; return { train, test }`);
    parseManifest(dataset.manifest, `what data() in ${path} returns as "${side}"`);
  }
  return data;
}

function own<T>(path: string, what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explainOwn(path, what, error);
  }
}

async function ownAsync<T>(path: string, what: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explainOwn(path, what, error);
  }
}

/** A fault of theirs in one line; with UNISUM_STACK as it was thrown. */
function explainOwn(path: string, what: string, error: unknown): unknown {
  if (error instanceof UserError || process.env[STACK_VARIABLE]) return error;
  const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new UserError(`${what}() in ${path} failed: ${why}; ${STACK_VARIABLE}=1 shows where`);
}
