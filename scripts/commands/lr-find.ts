import type { Command } from 'commander';
import { UserError } from '../../shared/errors.js';
import type { CommandContext } from './command.js';
import { addBackendOption, parseBackend } from './node-options.js';
import { positiveNumber, wholeNumber } from './numbers.js';
import { DEFAULT_RECIPE, findRecipe } from './recipes.js';

interface LrFindOptions {
  from: string;
  to: string;
  seed: string;
  backend: string;
  batch?: string;
  data?: string;
  text?: string;
  html?: string;
  json?: true;
}

/** `unisum lr-find [recipe]`: which learning rate to begin with. */
export function define(command: Command, context: CommandContext): void {
  command
    .argument('[recipe]', 'what to train: the name of a recipe, or a file that exports one', DEFAULT_RECIPE)
    .option('--from <X>', 'smallest learning rate', '1e-6')
    .option('--to <X>', 'greatest learning rate', '10')
    .option('--batch <B>', "samples per step (default: the recipe's)")
    .option('--seed <K>', 'seed of everything random', '0')
    .option('--data <PATH>', "a local copy of the recipe's data")
    .option('--text <FILE>', 'the text to learn, for recipes that take one')
    .option('--html <FILE>', 'write a page with the curve');
  addBackendOption(command)
    .option('--json', 'print the result as one JSON object on the last line of stdout')
    .action(async (name: string, options: LrFindOptions) => {
      const recipe = await findRecipe(name).load();
      const [from, to] = [positiveNumber('--from', options.from), positiveNumber('--to', options.to)];
      if (to < 10 * from)
        throw new UserError('--to must be at least ten times --from, or there is no curve to see', 2);
      const settings = {
        ...{ from, to, name, recipe },
        batch:
          options.batch === undefined
            ? recipe.batch
            : wholeNumber('--batch', options.batch, { least: 1, most: 2 ** 20 }),
        seed: wholeNumber('--seed', options.seed, { least: 0, most: 2 ** 32 - 1 }),
        backend: parseBackend(options.backend),
        data: options.data ?? options.text,
        html: options.html,
        json: options.json ?? false,
      };
      const { lrFind } = await import('./lr-find-run.js');
      await lrFind(settings, context);
    });
}
