import { type Command, Option } from 'commander';
import { UserError } from '../../shared/errors.js';
import { wholeNumber } from '../../trainer/options/option-values.js';
import type { CommandContext } from './command.js';
import { addJsonOption } from './compute-options.js';
import { findRecipe, RECIPES } from './recipes.js';

interface CheckOptions {
  steps?: string;
  data: Record<string, string>;
  text?: string;
  json?: true;
}

/** Recipes that learn a text. */
const TEXT_RECIPES = ['char-gpt', 'char-lstm'];

/** `unisum recipes [recipe...]`: trains recipes and checks their results. */
export function define(command: Command, context: CommandContext): void {
  command
    .description(
      'Train recipes with their own settings and check that each reaches its goal. First train a few steps with 1, 2 ' +
        'and 3 workers and with every kind of kernels, and check that all end with the same weights.',
    )
    .argument('[recipe...]', 'names of recipes (default: all)')
    .option('--steps <S>', 'compare the weights after S steps, and do not train to the end')
    .addOption(
      new Option('--data <NAME=PATH>', "local copy of a recipe's data; repeatable")
        .default({}, 'none')
        .argParser(collect),
    )
    .option('--text <FILE>', `text that ${TEXT_RECIPES.join(' and ')} learn`);
  addJsonOption(command).action(async (names: string[], { steps, data, text, json }: CheckOptions) => {
    for (const name of Object.keys(data)) findRecipe(name);
    const texts = text === undefined ? [] : TEXT_RECIPES.map((name) => [name, text] as const);
    const settings = {
      recipes: names.length === 0 ? RECIPES : names.map((name) => findRecipe(name)),
      steps: steps === undefined ? undefined : wholeNumber('--steps', steps, { least: 1, most: 1e9 }),
      data: new Map([...texts, ...Object.entries(data)]),
      json: json ?? false,
    };
    const { checkRecipes } = await import('./check-recipes-run.js');
    await checkRecipes(settings, context);
  });
}

function collect(pair: string, earlier: Record<string, string>): Record<string, string> {
  const [, name, path] = /^([^=]+)=(.+)$/.exec(pair) ?? [];
  if (name === undefined || path === undefined)
    throw new UserError(`--data takes RECIPE=PATH, such as char-gpt=book.txt, not "${pair}"`, 2);
  return { ...earlier, [name]: path };
}
