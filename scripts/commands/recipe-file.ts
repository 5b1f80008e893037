import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { messageOf, UserError } from '../../shared/errors.js';
import { checkedRecipe } from '../../trainer/checked-recipe.js';
import type { Recipe } from '../../trainer/recipe.js';
import { STACK_VARIABLE } from '../terminal/failure.js';

/**
 * Loads a user's recipe file: a JavaScript or TypeScript module that exports `recipe`.
 * @param path as it was typed
 * @throws UserError when the file does not exist or cannot be loaded, or its recipe is incomplete
 */
export async function loadRecipeFile(path: string): Promise<Recipe> {
  const file = resolve(path);
  if (!existsSync(file)) throw new UserError(`the recipe file ${path} does not exist; check the path`, 2);
  hooks ??= registerHooks();
  await hooks;
  let exported: Record<string, unknown>;
  try {
    exported = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof UserError) throw error;
    const [reason] = messageOf(error).trim().split('\n');
    throw new UserError(`cannot load ${path}: ${(await syntaxProblem(file)) ?? reason}`);
  }
  if (exported.recipe === undefined)
    throw new UserError(`${path} exports no recipe; write "export const recipe = { ... }"`);
  return checkedRecipe(exported.recipe as Recipe, path, (what, work) => inRecipe(path, what, work));
}

/** What is wrong with the syntax of a file, and where: Node keeps the line of a module to itself. Undefined: nothing is. */
async function syntaxProblem(file: string): Promise<string | undefined> {
  const source = readFileSync(file, 'utf8');
  if (/ts$/.test(file)) {
    const { transform } = await import('sucrase');
    try {
      transform(source, { transforms: ['typescript'] });
      return undefined;
    } catch (error) {
      const [, what, line] =
        /^(?:Error transforming .*?: )?(.*) \((\d+):\d+\)$/.exec((error as Error).message) ?? [];
      // It goes back to the beginning of what it could not read.
      return line && `at or after line ${line}: ${what}`;
    }
  }
  const type = file.endsWith('.cjs') ? 'commonjs' : 'module';
  const { stderr } = spawnSync(process.execPath, [`--input-type=${type}`, '--check', '-'], {
    ...{ input: source, encoding: 'utf8' },
  });
  const [, line, what] = /^\[stdin\]:(\d+)\n[\s\S]*?^SyntaxError: (.*)$/m.exec(stderr) ?? [];
  return line && `line ${line}: ${what}`;
}

/** Set when recipes can be loaded. */
let hooks: Promise<void> | undefined;

/**
 * Lets Node load TypeScript, which Node 20 does not by itself, and modules in any package or none. Never undone: data() may import
 * more of them later.
 */
async function registerHooks(): Promise<void> {
  // Newer versions of Node have hooks on the main thread, and warn of the others.
  const onMainThread = nodeModule as { registerHooks?: (hooks: object) => unknown };
  if (onMainThread.registerHooks === undefined) nodeModule.register(hooksUrl(import.meta.url));
  else onMainThread.registerHooks(await import('./recipe-hooks.js'));
}

/** The compiled hooks: the thread that they run on cannot run TypeScript sources, as a test does. @param from URL of this module */
function hooksUrl(from: string): URL {
  const folder = from.endsWith('.ts') ? '../../dist/scripts/commands/' : './';
  return new URL(`${folder}recipe-hooks.js`, from);
}

/** Calls a function of a recipe, and reports what it throws as the user's own error, with the file's path. */
function inRecipe<T>(path: string, what: string, work: () => T): T {
  try {
    const result = work();
    if (!(result instanceof Promise)) return result;
    return result.catch((error: unknown) => {
      throw explainRecipeError(path, what, error);
    }) as T;
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
