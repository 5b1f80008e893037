import { type Command, Option } from 'commander';
import { systemClock } from '../../shared/actor/clock.js';
import { CODECS } from '../../shared/codec/codec.js';
import { commandLine } from '../../shared/command-line.js';
import { UserError } from '../../shared/errors.js';
import { METRIC_NAMES } from '../../shared/metrics/metric-names.js';
import { SCHEDULE_NAMES } from '../../shared/optim/schedule.js';
import { OPTIMIZER_NAMES } from '../../shared/optim/settings.js';
import { shellWord } from '../../shared/shell-word.js';
import { availableCores } from '../../trainer/options/available-cores.js';
import { parseTrainOptions, type TrainOptions } from '../../trainer/options/train-options.js';
import { documentPath } from '../../trainer/package-files.js';
import { keptOptions, type Resumption, resumedRun } from '../../trainer/resume.js';
import type { CommandContext } from './command.js';
import { addComputeOptions, addJsonOption } from './compute-options.js';
import { DEFAULT_RECIPE, findRecordedRecipe, RECIPES } from './recipes.js';

/** `unisum train [recipe]`: a coordinator with local workers, which remote workers may join. */
export function define(command: Command, context: CommandContext): void {
  command
    .description(
      'Train a network on this machine, and on every machine that joins. A finished run prints its metrics, the ' +
        'hash of its weights and its directory. Ctrl-C saves a checkpoint and exits. Options of the groups ' +
        '"Training" and "Learning" decide the weights; no other option changes a bit of them.',
    )
    .argument(
      '[recipe]',
      `name of a recipe, or path of a file that exports one (default: ${DEFAULT_RECIPE})`,
    );
  defineTraining(command);
  defineLearning(command);
  defineWorkers(command);
  defineFiles(command);
  addJsonOption(command.optionsGroup('Other options:'))
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', recipeList)
    .action(async (name: string | undefined, options: TrainOptions, self: Command) => {
      const isGiven = (option: string): boolean => self.getOptionValueSource(option) === 'cli';
      const run = await runFor(name, options, isGiven);
      const isNamed = name !== undefined || run.path === undefined;
      const again = `train ${shellWord(run.recipe)} --resume ${shellWord(run.path ?? '')}`;
      const allow = `name it:  ${commandLine(again)}`;
      const recipe = await findRecordedRecipe(run.path ?? '', run.recipe, isNamed, allow).load();
      const settings = parseTrainOptions(run.recipe, recipe, run.options, availableCores());
      const resumption = options.standby === true ? await takenOver(run, context) : undefined;
      if (options.standby === true && resumption === undefined) return;
      const { train } = await import('./train-run.js');
      await train(
        { recipe, settings, options: keptOptions(run.options), resume: run.path, resumption },
        context,
      );
    });
}

/** Options of the length of a run, its data and its seed. */
export function defineTraining(command: Command): void {
  command
    .optionsGroup('Training (defaults come from the recipe):')
    .option('--batch <B>', 'samples per step, over all workers')
    .option('--steps <S>', 'length of the run in steps')
    .option('--epochs <E>', 'length of the run in passes over the data')
    .option('--data <PATH>', "local copy of the recipe's data")
    .option('--text <FILE>', 'text to learn, for recipes of texts')
    .option('--seed <K>', 'seed of initial weights, shuffling, dropout and augmentation', '0')
    .option('--weights <PATH>', 'initial weights: a run directory or a file of weights (default: random)')
    .option('--freeze <LAYERS>', 'layers that keep their initial weights, such as conv2d,conv2d_1 or conv*')
    .option('--leaf-size <L>', 'samples per leaf of the canonical sum, at most the batch')
    .addOption(new AliasOption('--leaf <L>', 'leafSize'));
}

/** Options of how a run learns. */
export function defineLearning(command: Command): void {
  command
    .optionsGroup('Learning (defaults come from the recipe):')
    .option('--optimizer <name>', OPTIMIZER_NAMES.join(', '))
    .option(
      '--sync <S>',
      'step: an exchange at every step; local:replicas=4,steps=30: local updates, for slow links. A step is then a ' +
        'round, in which 4 replicas take 30 optimizer steps each, of 1/4 of the batch (default: step)',
    )
    .option(
      '--ema <D>',
      'keep a moving average of the weights with this decay, such as 0.999; the run is evaluated and ends with it',
    )
    .option('--lr <X>', "learning rate (default: the recipe's, or else the optimizer's)")
    .option(
      '--schedule <name>',
      `learning rate schedule: ${SCHEDULE_NAMES.join(', ')}; with settings: cosine:warmup=100,floor=0.1`,
    )
    .option('--clip-norm <X>', 'clip the gradient to this global norm')
    .option('--clip-tensor-norm <X>', 'clip the gradient of each parameter to this norm')
    .option('--clip-value <X>', 'clip each element of the gradient to [-X, X]')
    .option('--gradient-noise <ETA>', 'add noise of variance ETA / (1 + step)^0.55 to the gradient; 0: none')
    .option(
      '--compress <codec>',
      `round what is exchanged, gradients or results of rounds: ${CODECS.join(', ')}`,
    )
    .option('--evaluate-every <S>', 'evaluate on the held-out data every S steps (default: every epoch)')
    .option(
      '--metrics <NAMES>',
      `metrics of every evaluation, separated by commas: ${METRIC_NAMES.join(', ')}`,
    )
    .option(
      '--validation <SHARE>',
      'set a share of the training data aside for evaluations and all that they decide; the test data are then ' +
        'measured once, at the end',
    )
    .option(
      '--early-stopping <P>',
      'stop after P evaluations in a row without improvement, and restore the best weights; with settings: ' +
        '5:minDelta=0.001,restoreBest=false; 0: never',
    );
}

/** Options of who computes a run, and how they join. */
export function defineWorkers(command: Command): void {
  addComputeOptions(
    command
      .optionsGroup('Workers:')
      .option('--workers <N>', 'local workers (default: one per core; 0: remote workers only)'),
  )
    .option('--listen <host:port>', 'address for remote workers (default: loopback only, any free port)')
    .option('--tls', 'encrypt connections (default: unless the address is loopback)')
    .option('--no-tls', 'do not encrypt connections, for example inside a tunnel')
    .option(
      '--tls-cert <FILE>',
      "certificate of your own, PEM, with those it rests on (default: the run's own)",
    )
    .option('--tls-key <FILE>', 'the key of that certificate, PEM, without passphrase')
    .option('--public-url <URL>', 'URL under which a proxy or a tunnel offers the page to browsers')
    .option(
      '--trust-proxy <ADDRESSES>',
      'proxies that are believed (X-Forwarded-For) for whom they connect, such as 127.0.0.1,10.0.0.0/8',
    )
    .option(
      '--join-file <FILE>',
      'file that holds the join line while the run listens, for worker --join-file',
    )
    .option(
      '--announce',
      'tell the local network (multicast DNS) that the run is here: "worker" without a join line lists it, and asks for its token',
    )
    .option('--min-workers <N>', 'wait for N workers before the first step, local ones included', '1')
    .option(
      '--placement <P>',
      'remote workers that are given work: auto (those that make the run faster) or all',
      'auto',
    )
    .option(
      '--audit <F>',
      "fraction of remote workers' results that is computed twice and compared, 0 to 1",
      '0',
    )
    .option('--ban <NAMES>', 'machines that may not work for the run, by name or key, such as eve,bob');
}

function defineFiles(command: Command): void {
  command
    .optionsGroup('Run directory and checkpoints:')
    .option('--run-dir <DIR>', "directory for the run's files (default: a new one in runs/)")
    .option(
      '--checkpoint-every <S>',
      'save a checkpoint every S steps (500) or seconds (30s); 0: never',
      '10s',
    )
    .option(
      '--keep-checkpoints <N>',
      'checkpoints to keep besides the best: a number, or all, which verify --sample needs',
      '3',
    )
    .option('--resume [DIR]', 'resume a run from its last checkpoint (without DIR: the latest run in runs/)')
    .option(
      '--standby',
      'with --resume DIR: wait while another process trains there, and take the run over when that is gone',
    )
    .option(
      '--inspect-gradients [K]',
      'record error terms and gradients every K steps, and plot them (without K: about 100 times per run)',
    );
}

/** A hidden spelling of another option. Its value is stored under that option's name. */
class AliasOption extends Option {
  constructor(
    flags: string,
    private readonly attribute: string,
  ) {
    super(flags);
    this.hideHelp();
  }

  override attributeName(): string {
    return this.attribute;
  }
}

/** Waits until the process that trains in a directory is gone. @returns undefined: there is nothing to take over */
async function takenOver(
  { path, recipe }: { readonly path: string | undefined; readonly recipe: string },
  { terminal }: CommandContext,
): Promise<Resumption | undefined> {
  if (path === undefined)
    throw new UserError('--standby takes a run over: name its directory with --resume DIR', 2);
  const { standBy } = await import('../../trainer/standby.js');
  return standBy({ path, recipe }, systemClock, (line) => terminal.say(line));
}

/** The run to start, or the one to resume with the options that it was started with. */
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
  const guide = documentPath('docs/guide/your-own.md');
  return `\nRecipes:\n${lines.join('\n')}\n\nTo train your own network, write one file: ${guide}`;
}
