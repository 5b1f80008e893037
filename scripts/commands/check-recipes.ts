import type { Command } from 'commander';
import { UserError } from '../../shared/errors.js';
import type { CommandContext } from './command.js';
import { wholeNumber } from './numbers.js';
import { findRecipe, RECIPES } from './recipes.js';

interface CheckOptions {
  steps?: string;
  data: Record<string, string>;
  text?: string;
  json?: true;
}

/** Recipes that take a text. */
const OF_TEXTS = ['char-gpt', 'char-lstm'];

/** `unisum recipes [name...]`: trains recipes and checks what they reach. */
export function define(command: Command, context: CommandContext): void {
  command
    .argument('[recipe...]', 'which ones (default: all)')
    .option('--steps <S>', 'only so many steps, and only the weights are compared')
    .option(
      '--data <NAME=PATH>',
      "a local copy of a recipe's data; may be given again for others",
      collect,
      {},
    )
    .option('--text <FILE>', `the text that ${OF_TEXTS.join(' and ')} learn`)
    .option('--json', 'print the result as one JSON object on the last line of stdout')
    .action(async (names: string[], { steps, data, text, json }: CheckOptions) => {
      for (const name of Object.keys(data)) findRecipe(name);
      const texts = text === undefined ? [] : OF_TEXTS.map((name) => [name, text] as const);
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
