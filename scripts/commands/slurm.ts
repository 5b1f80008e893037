import { basename, resolve } from 'node:path';
import { Command } from 'commander';
import { epochMs } from '../../shared/actor/clock.js';
import { UserError } from '../../shared/errors.js';
import { availableCores } from '../../trainer/options/available-cores.js';
import { wholeNumber } from '../../trainer/options/option-values.js';
import { parseTrainOptions, type TrainOptions } from '../../trainer/options/train-options.js';
import { packageFile } from '../../trainer/package-files.js';
import { openSweepFolder } from '../sweep/sweep-folder.js';
import type { CommandContext } from './command.js';
import { addJsonOption } from './compute-options.js';
import { DEFAULT_RECIPE, findRecipe } from './recipes.js';
import { defineSweep, type SweepOptions, sweepRequestOf } from './sweep.js';
import { define as defineTrain } from './train.js';
import { define as defineWorker } from './worker.js';

/** Commands that a job can run. */
const DEFINITIONS = { train: defineTrain, sweep: defineSweep, worker: defineWorker };
/** Options of train that the job decides. */
const DECIDED = ['listen', 'joinFile', 'runDir', 'resume', 'workers', 'threads', 'trial'];
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
        'With "worker --join-file FILE" after the dashes, the job adds workers to a run. With "sweep ..." it is an array, whose ' +
        'tasks each train one trial. Every node needs this program and the directory of the run or sweep under the same path.',
    )
    .usage('[options] -- train [recipe] [options of train]')
    .argument(
      '<words...>',
      'train, a recipe and options of train; sweep and its options; or worker --join-file FILE',
    );
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
    const { submitSweep, submitTraining, submitWorkers } = await import('../slurm/submission.js');
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
    if (what === 'sweep') {
      if (options.runDir !== undefined)
        throw new UserError('--run-dir is for train; a sweep has --sweep-dir after the dashes', 2);
      if (job.nodes > 1)
        throw new UserError('each trial of a sweep has a node of its own: leave --nodes out', 2);
      const { recipe = DEFAULT_RECIPE, options: given, all, self } = await checked('sweep', rest, context);
      refuseDecided(given);
      const request = await sweepRequestOf(recipe, all as SweepOptions, self);
      if (request.method === 'halving')
        throw new UserError('halving needs the results of all trials: take --method grid or random', 2);
      const { planSweep } = await import('./sweep-run.js');
      const { path, trials, text } = planSweep(request);
      // Before the tasks, which would all make it at once.
      if (!how.isDryRun) await openSweepFolder(path, text);
      const where = { sweepDir: resolve(path), trials: trials.length };
      await submitSweep({ ...job, ...where, recipe: nameOf(recipe), words: rest }, how, context);
      return;
    }
    if (what !== 'train')
      throw new UserError(`slurm takes "-- train ...", "-- sweep ..." or "-- worker ...", not "${what}"`, 2);
    const { recipe = DEFAULT_RECIPE, options: given, all } = await checked('train', rest, context);
    refuseDecided(given);
    parseTrainOptions(recipe, await findRecipe(recipe).load(), all as TrainOptions, availableCores());
    const name = nameOf(recipe);
    const stamp = new Date(epochMs()).toISOString().slice(0, 19).replaceAll(/[:-]/g, '');
    const runDir = resolve(options.runDir ?? `runs/${name}-${stamp}`);
    await submitTraining({ ...job, recipe: name, words: rest, runDir }, how, context);
  });
}

/** The name of a recipe, or of its file, in the names of jobs and directories. */
function nameOf(recipe: string): string {
  return basename(recipe).replace(/\.\w+$/, '');
}

/** @throws UserError when an option is given that the job decides */
function refuseDecided(given: Readonly<Record<string, unknown>>): void {
  const decided = DECIDED.find((name) => given[name] !== undefined);
  if (decided === undefined) return;
  const flag = decided.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new UserError(
    `the job decides --${flag}: leave it out after the dashes (--run-dir and --cpus belong before them)`,
    2,
  );
}

interface CheckedWords {
  readonly recipe: string | undefined;
  /** Options that were given, and those with the defaults of the others. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly all: unknown;
  /** The command, as it was parsed. */
  readonly self: Command;
}

/** What the words of another command come to: a job must not fail hours later for a word that it does not know. */
async function checked(
  name: keyof typeof DEFINITIONS,
  words: readonly string[],
  context: CommandContext,
): Promise<CheckedWords> {
  const command = new Command(name).exitOverride().configureOutput({ outputError: () => undefined });
  DEFINITIONS[name](command, context);
  let recipe: string | undefined;
  const given: Record<string, unknown> = {};
  command.action((first: string | undefined) => {
    recipe = first;
    for (const option of Object.keys(command.opts()))
      if (command.getOptionValueSource(option) === 'cli') given[option] = command.opts()[option];
  });
  await command.parseAsync([...words], { from: 'user' });
  return { recipe, options: given, all: command.opts(), self: command };
}
