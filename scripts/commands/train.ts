import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { SCHEDULE_NAMES } from '../../shared/optim/schedule.js';
import { OPTIMIZER_NAMES } from '../../shared/optim/settings.js';
import type { CommandContext } from './command.js';
import { addNodeOptions } from './node-options.js';
import { DEFAULT_RECIPE, findRecipe, RECIPES } from './recipes.js';
import { keptOptions, resumedRun } from './resume.js';
import { parseTrainOptions, type TrainOptions } from './train-options.js';

/** `unisum train [recipe]`: a coordinator with local workers, open to others. */
export function define(command: Command, context: CommandContext): void {
  command
    .argument(
      '[recipe]',
      `what to train: the name of a recipe, or a file that exports one (default: ${DEFAULT_RECIPE})`,
    )
    .option('--workers <N>', 'local nodes (default: one per core)')
    .option('--batch <B>', "samples per step, over all workers (default: the recipe's)")
    .option('--leaf <L>', "samples per leaf of the sum, at most the batch (default: the recipe's)")
    .option('--steps <S>', 'train for this many steps')
    .option('--epochs <E>', "or for this many passes over the data (default: the recipe's)")
    .option('--seed <K>', 'seed of everything random', '0')
    .option('--optimizer <name>', `${OPTIMIZER_NAMES.join(', ')} (default: the recipe's)`)
    .option('--lr <X>', "learning rate (default: the recipe's, or the optimizer's)")
    .option(
      '--schedule <name>',
      `how the rate changes: ${SCHEDULE_NAMES.join(', ')}; cosine:warmup=100,floor=0.1 sets its numbers (default: the recipe's)`,
    )
    .option(
      '--evaluate-every <S>',
      'measure on the test data after every S steps (default: after each epoch)',
    )
    .option(
      '--early-stopping <P>',
      'end after P evaluations that are no better, with the best weights; 5:minDelta=0.001,restoreBest=false sets more',
    )
    .option('--clip-norm <X>', 'make the whole gradient no longer than this')
    .option('--clip-tensor-norm <X>', 'or the gradient of no parameter')
    .option('--clip-value <X>', 'or let no element of it be further from 0')
    .option('--gradient-noise <ETA>', 'add noise to gradients, of variance ETA / (1 + step)^0.55')
    .option('--listen <host:port>', 'where others may join (default: this machine only, any free port)')
    .option('--tls', 'encrypt connections, as is done wherever other machines can connect')
    .option('--no-tls', 'encrypt nothing, as behind a tunnel of your own')
    .option('--min-workers <N>', 'wait for this many workers before the first step', '1')
    .option('--audit <F>', 'compute this fraction of what comes over links twice, and compare (0 to 1)', '0')
    .option(
      '--watch-gradients [K]',
      'look at error terms and gradients every K steps (default: 100 looks in all)',
    )
    .option('--run-dir <DIR>', "where to write the run's files (default: a new folder in runs/)")
    .option('--weights <PATH>', "begin with the weights of a run's folder or a file (default: drawn)")
    .option('--checkpoint-every <S>', 'save after so many steps (500) or seconds (30s); 0: never', '10s')
    .option('--resume [DIR]', 'go on with a run where it was saved last (default: the latest in runs/)')
    .option('--data <PATH>', "a local copy of the recipe's data")
    .option('--text <FILE>', 'the text to learn, for recipes that take one');
  addNodeOptions(command)
    .option('--json', 'print the result as one JSON object on the last line of stdout')
    .addHelpText('after', recipeList)
    .action(async (name: string | undefined, options: TrainOptions, self: Command) => {
      const isGiven = (option: string): boolean => self.getOptionValueSource(option) === 'cli';
      const run = await runFor(name, options, isGiven);
      const recipe = await findRecipe(run.recipe).load();
      const settings = parseTrainOptions(run.recipe, recipe, run.options, availableParallelism());
      const { train } = await import('./train-run.js');
      await train({ recipe, settings, options: keptOptions(run.options), resume: run.path }, context);
    });
}

/** The run to begin, or the one that is to go on, with the options that it was begun with. */
async function runFor(
  name: string | undefined,
  options: TrainOptions,
  isGiven: (option: string) => boolean,
): Promise<{ recipe: string; options: TrainOptions; path: string | undefined }> {
  if (options.resume === undefined) return { recipe: name ?? DEFAULT_RECIPE, options, path: undefined };
  const given = Object.fromEntries(Object.entries(options).filter(([option]) => isGiven(option)));
  const resumed = await resumedRun(options.resume, name, given);
  return { ...resumed, options: { ...options, ...resumed.options } };
}

function recipeList(): string {
  const width = Math.max(...RECIPES.map(({ name }) => name.length)) + 2;
  const lines = RECIPES.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`);
  return `\nRecipes (or your own, ./my-recipe.ts: docs/guide/your-own.md):\n${lines.join('\n')}`;
}
