import { basename, resolve } from 'node:path';
import { Command } from 'commander';
import { epochMs } from '../../shared/actor/clock.js';
import { UserError } from '../../shared/errors.js';
import { availableCores } from '../../trainer/options/available-cores.js';
import { wholeNumber } from '../../trainer/options/option-values.js';
import { parseTrainOptions, type TrainOptions } from '../../trainer/options/train-options.js';
import { packageFile } from '../../trainer/package-files.js';
import type { CommandContext } from './command.js';
import { addJsonOption } from './compute-options.js';
import { DEFAULT_RECIPE, findRecipe } from './recipes.js';
import { define as defineTrain } from './train.js';
import { define as defineWorker } from './worker.js';

/** Options of train that the job decides. */
const DECIDED = ['listen', 'joinFile', 'runDir', 'resume', 'workers', 'threads'];
const NODES_MAX = 10_000;
const CPUS_MAX = 4096;

interface SlurmOptions {
  readonly nodes: string;
  readonly cpus: string;
  readonly time?: string;
  readonly partition?: string;
  readonly runDir?: string;
  readonly sbatch: readonly string[];
  readonly dryRun?: true;
  readonly json?: true;
}

/** `unisum slurm -- train ...`: a job of a Slurm cluster that trains, or adds workers to a run. */
export function define(command: Command, context: CommandContext): void {
  command
    .description(
      'Train on the nodes of a Slurm cluster: submits one job, with a coordinator on its first node and a worker on each ' +
        'node. A job that is preempted, loses a node or uses up its time saves, is queued again, and resumes by itself. ' +
        'With "worker --join-file FILE" after the dashes, the job adds workers to a run. Every node needs this program ' +
        'and the run directory under the same path.',
    )
    .usage('[options] -- train [recipe] [options of train]')
    .argument('<words...>', 'train, a recipe and options of train; or worker --join-file FILE');
  addJsonOption(
    command
      .option('--nodes <N>', 'nodes of the job', '1')
      .option('--cpus <N>', 'processors of each node, and compute threads of its worker', '1')
      .option('--time <T>', 'longest time before the job is queued again, such as 2:00:00')
      .option('--partition <P>', 'partition of the cluster')
      .option(
        '--run-dir <DIR>',
        'directory for the run; one that has a run is resumed (default: a new one in runs/)',
      )
      .option(
        '--sbatch <O>',
        'a further option of sbatch, such as --sbatch=--account=lab; may be repeated',
        (text: string, before: readonly string[]) => [...before, text],
        [],
      )
      .option('--dry-run', 'print the script of the job, and submit nothing'),
  ).action(async (words: string[], options: SlurmOptions) => {
    const job = {
      nodes: wholeNumber('--nodes', options.nodes, { least: 1, most: NODES_MAX }),
      cpus: wholeNumber('--cpus', options.cpus, { least: 1, most: CPUS_MAX }),
      ...{ time: options.time, partition: options.partition, sbatch: options.sbatch },
      program: [process.execPath, packageFile('dist/scripts/unisum.js')],
    };
    const [what, ...rest] = words;
    const { submitTraining, submitWorkers } = await import('../slurm/submission.js');
    const how = { isDryRun: options.dryRun ?? false, isJson: options.json ?? false };
    if (what === 'worker') {
      if (options.runDir !== undefined)
        throw new UserError('--run-dir is for train; a worker finds its run by --join-file', 2);
      const { joinFile, threads } = (await checked('worker', rest, context)).options;
      if (joinFile === undefined)
        throw new UserError('give the join file of the run: -- worker --join-file RUN.join', 2);
      if (threads !== undefined) throw new UserError('--threads of a worker is --cpus of the job', 2);
      await submitWorkers({ ...job, words: rest, joinFile: String(joinFile) }, how, context);
      return;
    }
    if (what !== 'train')
      throw new UserError(`slurm takes "-- train ..." or "-- worker ...", not "${what}"`, 2);
    const { recipe = DEFAULT_RECIPE, options: given, all } = await checked('train', rest, context);
    const decided = DECIDED.find((name) => given[name] !== undefined);
    if (decided !== undefined) {
      const flag = decided.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      throw new UserError(
        `the job decides --${flag}: leave it out after the dashes (--run-dir and --cpus belong before them)`,
        2,
      );
    }
    parseTrainOptions(recipe, await findRecipe(recipe).load(), all as TrainOptions, availableCores());
    const name = basename(recipe).replace(/\.\w+$/, '');
    const stamp = new Date(epochMs()).toISOString().slice(0, 19).replaceAll(/[:-]/g, '');
    const runDir = resolve(options.runDir ?? `runs/${name}-${stamp}`);
    await submitTraining({ ...job, recipe: name, words: rest, runDir }, how, context);
  });
}

interface CheckedWords {
  readonly recipe: string | undefined;
  /** Options that were given, and those with the defaults of the others. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly all: unknown;
}

/** What the words of another command come to: a job must not fail hours later for a word that it does not know. */
async function checked(
  name: 'train' | 'worker',
  words: readonly string[],
  context: CommandContext,
): Promise<CheckedWords> {
  const command = new Command(name).exitOverride().configureOutput({ outputError: () => undefined });
  (name === 'train' ? defineTrain : defineWorker)(command, context);
  let recipe: string | undefined;
  const given: Record<string, unknown> = {};
  command.action((first: string | undefined) => {
    recipe = first;
    for (const option of Object.keys(command.opts()))
      if (command.getOptionValueSource(option) === 'cli') given[option] = command.opts()[option];
  });
  await command.parseAsync([...words], { from: 'user' });
  return { recipe, options: given, all: command.opts() };
}
