import { type Command, Option } from 'commander';
import { UserError } from '../../shared/errors.js';
import { availableCores } from '../../trainer/options/available-cores.js';
import { wholeNumber } from '../../trainer/options/option-values.js';
import { parseTrainOptions, type TrainOptions } from '../../trainer/options/train-options.js';
import { keptOptions } from '../../trainer/resume.js';
import { camelCase, parseDimension, VARIED_OPTIONS } from '../sweep/search-space.js';
import type { SweepGoal } from '../sweep/trials.js';
import type { CommandContext } from './command.js';
import { addJsonOption } from './compute-options.js';
import { DEFAULT_RECIPE, findRecipe } from './recipes.js';
import type { SweepRequest } from './sweep-run.js';
import { defineLearning, defineTraining, defineWorkers } from './train.js';

const METHODS = ['grid', 'random', 'halving'] as const;
/** Most trials that are drawn. */
const TRIALS_MAX = 10_000;
const SEED_MAX = 2 ** 32 - 1;

export interface SweepOptions extends TrainOptions {
  vary: string[];
  method: (typeof METHODS)[number];
  trials: string;
  sweepSeed: string;
  factor: string;
  goal?: string;
  sweepDir?: string;
  trial?: string;
}

/** `unisum sweep [recipe]`: trains with many settings. */
export function define(command: Command, context: CommandContext): void {
  defineSweep(command)
    .description(
      'Train a recipe with many settings, one run after the other, and rank the results. All runs have one join line, and ' +
        'a worker with --stay works for all of them. Each run has the weights hash that train has with its options. The same ' +
        'command continues a sweep that was interrupted or killed.',
    )
    .action(async (name: string, options: SweepOptions, self: Command) => {
      const request = await sweepRequestOf(name, options, self);
      const { sweep } = await import('./sweep-run.js');
      await sweep(request, context);
    });
}

/** The argument and the options of a sweep. */
export function defineSweep(command: Command): Command {
  command
    .argument('[recipe]', 'name of a recipe, or path of a file that exports one', DEFAULT_RECIPE)
    .optionsGroup('Sweep:')
    .requiredOption(
      '--vary <O=V>',
      `an option of train and its values, such as lr=0.1,0.01, or a range, lr=0.0001..0.1; may be repeated. Options: ${VARIED_OPTIONS.join(', ')}`,
      (text: string, before: string[] | undefined) => [...(before ?? []), text],
    )
    .addOption(
      new Option(
        '--method <name>',
        'grid: every combination; random: trials drawn at random; halving: drawn trials, of which the best go on to longer runs',
      )
        .choices(METHODS)
        .default('grid', 'grid'),
    )
    .option('--trials <N>', 'trials that random and halving draw', '20')
    .option('--sweep-seed <K>', 'seed of the draws', '0')
    .option(
      '--factor <F>',
      'of halving: the best 1/F of the trials go on to runs that are F times as long',
      '3',
    )
    .option(
      '--goal <G>',
      'what is best: min:METRIC or max:METRIC, such as max:testAccuracy (default: the lowest loss)',
    )
    .option(
      '--sweep-dir <DIR>',
      'directory of the runs (default: one in sweeps/, named by recipe and settings)',
    )
    .option(
      '--trial <N>',
      'train the N-th trial only; whichever ends last ranks all. So each task of an array of a scheduler trains one',
    );
  defineTraining(command);
  defineLearning(command);
  defineWorkers(command);
  return addJsonOption(command.optionsGroup('Other options:'));
}

/** What is asked for. @throws UserError when options are wrong, or do not go together */
export async function sweepRequestOf(
  name: string,
  options: SweepOptions,
  self: Command,
): Promise<SweepRequest> {
  const dimensions = options.vary.map(parseDimension);
  const twice = dimensions.find(({ option }, i) => dimensions.findIndex((d) => d.option === option) < i);
  if (twice !== undefined)
    throw new UserError(`--vary names ${twice.option} twice; put all values into one`, 2);
  const given = dimensions.find(({ option }) => self.getOptionValueSource(camelCase(option)) === 'cli');
  if (given !== undefined) throw new UserError(`${given.option} is both given and varied: leave one out`, 2);
  if (options.method === 'halving' && (options.steps !== undefined || dimensions.some(isLength)))
    throw new UserError(
      'halving decides the length of runs itself: give --epochs, and vary something else',
      2,
    );
  if (options.method === 'halving' && options.trial !== undefined)
    throw new UserError(
      'halving chooses trials by the results of all: leave --trial out, or take --method random',
      2,
    );
  const { vary: _, method, trials, sweepSeed, factor, goal, sweepDir, trial, ...rest } = options;
  const base = { ...rest, checkpointEvery: '10s', keepCheckpoints: '1' } as TrainOptions;
  const recipe = await findRecipe(name).load();
  // What is wrong with the options of all trials is said at once.
  parseTrainOptions(name, recipe, base, availableCores());
  return {
    ...{ name, recipe, dimensions, method, base: keptOptions(base), sweepDir },
    trials: wholeNumber('--trials', trials, { least: 1, most: TRIALS_MAX }),
    seed: wholeNumber('--sweep-seed', sweepSeed, { least: 0, most: SEED_MAX }),
    factor: wholeNumber('--factor', factor, { least: 2, most: 100 }),
    goal: parseGoal(goal),
    only: trial === undefined ? undefined : wholeNumber('--trial', trial, { least: 1, most: TRIALS_MAX }),
    json: options.json ?? false,
  };
}

function isLength({ option }: { readonly option: string }): boolean {
  return option === 'steps' || option === 'epochs';
}

function parseGoal(text: string | undefined): SweepGoal {
  if (text === undefined) return { metric: undefined, isLargest: false };
  const [, side, metric] = /^(min|max):(\w+)$/.exec(text) ?? [];
  if (metric === undefined)
    throw new UserError(`--goal takes min:METRIC or max:METRIC, such as max:testAccuracy, not "${text}"`, 2);
  return { metric, isLargest: side === 'max' };
}
