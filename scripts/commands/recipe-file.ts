import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as v from 'valibot';
import { CODECS } from '../../shared/codec/codec.js';
import { parseManifest } from '../../shared/data/manifest.js';
import { UserError } from '../../shared/errors.js';
import { describeIssue } from '../../shared/schema-issue.js';
import type { Recipe, RecipeData } from '../../trainer/recipe.js';
import { STACK_VARIABLE } from '../terminal/failure.js';

const aFunction = v.custom<() => unknown>((value) => typeof value === 'function', 'must be a function');
const positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** A setting that is checked where it is used. */
const checkedLater = v.optional(v.unknown());

/** Every field of a recipe: one that is misspelt would otherwise be ignored. */
const RecipeSchema = v.strictObject({
  summary: v.string(),
  model: aFunction,
  data: aFunction,
  optimizer: v.looseObject({ name: v.string(), learningRate: v.number() }),
  batch: positive,
  leafSize: positive,
  epochs: positive,
  steps: v.optional(positive),
  evaluateEvery: v.optional(positive),
  metrics: v.optional(aFunction),
  evaluationMetrics: v.optional(v.array(v.looseObject({ name: v.string(), start: aFunction }))),
  sync: checkedLater,
  schedule: checkedLater,
  clipping: checkedLater,
  gradientNoise: checkedLater,
  compress: v.optional(v.picklist(CODECS)),
  earlyStopping: checkedLater,
  goal: checkedLater,
} satisfies Record<keyof Recipe, unknown>);

/**
 * Loads a user's recipe file: a JavaScript or TypeScript module that exports `recipe`.
 * @param path as it was typed
 * @throws UserError when the file does not exist or cannot be loaded, or its recipe is incomplete
 */
export async function loadRecipeFile(path: string): Promise<Recipe> {
  const file = resolve(path);
  if (!existsSync(file)) throw new UserError(`the recipe file ${path} does not exist; check the path`, 2);
  if (/ts$/.test(file)) {
    hooks ??= registerHooks();
    await hooks;
  }
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
  if (success) return checked(exported.recipe as Recipe, path);
  const [issue] = issues;
  throw new UserError(`the recipe in ${path}: ${describeIssue(RecipeSchema, issue, 'recipe')}`);
}

/** Set when modules in TypeScript can be loaded. */
let hooks: Promise<void> | undefined;

/**
 * Lets Node load TypeScript, which Node 20 does not by itself, always as ES modules. Never undone: data() may import more of it
 * later.
 */
async function registerHooks(): Promise<void> {
  // Newer versions of Node have hooks on the main thread, and warn of the others.
  const onMainThread = nodeModule as { registerHooks?: (hooks: object) => unknown };
  if (onMainThread.registerHooks === undefined)
    nodeModule.register(new URL('./typescript-hooks.js', import.meta.url));
  else onMainThread.registerHooks(await import('./typescript-hooks.js'));
}

/** The same recipe, whose errors and wrong return values are reported as the user's own, with the file's path. */
function checked(recipe: Recipe, path: string): Recipe {
  const { metrics } = recipe;
  return {
    ...recipe,
    model: (data) => {
      const model = inRecipe(path, 'model', () => recipe.model(data));
      if (typeof model === 'object' && 'loss' in model) return model;
      throw new UserError(
        `model() in ${path} does not return a model; end it with "return graph.model(output, loss)"`,
      );
    },
    data: async (directory) =>
      checkedData(path, await inRecipeAsync(path, 'data', () => recipe.data(directory))),
    ...(metrics && {
      metrics: (...args) => inRecipeAsync(path, 'metrics', () => metrics(...args)),
    }),
  };
}

function checkedData(path: string, data: RecipeData): RecipeData {
  for (const side of ['train', 'validation', 'test'] as const) {
    const dataset = data?.[side];
    if (side !== 'train' && dataset === undefined) continue;
    if (typeof dataset?.chunk !== 'function')
      throw new UserError(`data() in ${path} does not return a data set "${side}"; return { train, test }`);
    parseManifest(dataset.manifest, `what data() in ${path} returns as "${side}"`);
  }
  return data;
}

function inRecipe<T>(path: string, what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explainRecipeError(path, what, error);
  }
}

async function inRecipeAsync<T>(path: string, what: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explainRecipeError(path, what, error);
  }
}

/** An error of the recipe in one line; with UNISUM_STACK as it was thrown. */
function explainRecipeError(path: string, what: string, error: unknown): unknown {
  if (error instanceof UserError || process.env[STACK_VARIABLE]) return error;
  const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new UserError(`${what}() in ${path} failed: ${why}; ${STACK_VARIABLE}=1 shows where`);
}
