import type { Command } from 'commander';
import { UserError } from '../../shared/errors.js';
import { parseBackend } from '../../trainer/options/compute-options.js';
import { positiveNumber, wholeNumber } from '../../trainer/options/option-values.js';
import type { CommandContext } from './command.js';
import { addBackendOption, addJsonOption } from './compute-options.js';
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

/** `unisum lr-find [recipe]`: finds a good initial learning rate. */
export function define(command: Command, context: CommandContext): void {
  command
    .description(
      'Find a good initial learning rate: train with a growing rate until the loss explodes, and report the rate at ' +
        'which the loss fell fastest.',
    )
    .argument('[recipe]', 'name of a recipe, or path of a file that exports one', DEFAULT_RECIPE)
    .option('--from <X>', 'first learning rate', '1e-6')
    .option('--to <X>', 'last learning rate', '10')
    .option('--batch <B>', "samples per step (default: the recipe's)")
    .option('--seed <K>', 'seed of initial weights, shuffling, dropout and augmentation', '0')
    .option('--data <PATH>', "local copy of the recipe's data")
    .option('--text <FILE>', 'text to learn, for recipes of texts')
    .option('--html <FILE>', 'write a page with the curve');
  addJsonOption(addBackendOption(command)).action(async (name: string, options: LrFindOptions) => {
    const recipe = await findRecipe(name).load();
    const [from, to] = [positiveNumber('--from', options.from), positiveNumber('--to', options.to)];
    if (to < 10 * from)
      throw new UserError('--to must be at least ten times --from, or the curve is too short', 2);
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
