import type { CheckpointPolicy } from '../../coordinator/saving-state.js';
import { UserError } from '../../shared/errors.js';
import { isLoopback, type ListenAddress, parseListenAddress } from '../../shared/link/listen.js';
import type { Clipping } from '../../shared/optim/clipping.js';
import type { EarlyStopping } from '../../shared/optim/early-stopping.js';
import type { GradientNoise } from '../../shared/optim/gradient-noise.js';
import { constant, type ScheduleSettings } from '../../shared/optim/schedule.js';
import { type OptimizerSettings, optimizerByName } from '../../shared/optim/settings.js';
import { parseClipping, parseEarlyStopping, parseGradientNoise, parseSchedule } from './learning-options.js';
import { type NodeOptions, type NodeSettings, parseNodeOptions } from './node-options.js';
import { fraction, positiveNumber, wholeNumber } from './numbers.js';

/** Local nodes that one command may start. */
const MOST_WORKERS = 1024;
/** Workers that a run may wait for. */
const MOST_AWAITED = 100_000;
const MOST_BATCH = 1 << 20;
const MOST_STEPS = 1e12;
const MOST_EPOCHS = 1e6;
const MOST_SECONDS = 1e6;
/** Seeds are 32-bit keys of the counter-based generator. */
const MOST_SEED = 2 ** 32 - 1;

/** What a recipe trains with when the command line does not say otherwise. All of it reaches the weights. */
export interface RecipeDefaults {
  /** Samples of a step, over all workers. */
  readonly batch: number;
  /** Samples of one leaf of the canonical sum. */
  readonly leaf: number;
  readonly epochs: number;
  /** Instead of epochs. */
  readonly steps?: number;
  readonly optimizer: OptimizerSettings;
  readonly schedule?: ScheduleSettings;
  readonly clipping?: Clipping;
  readonly gradientNoise?: GradientNoise;
  readonly earlyStopping?: EarlyStopping;
  readonly evaluateEvery?: number;
}

/** Options of `train` as commander hands them over: text, and absent where the user said nothing. */
export interface TrainOptions extends NodeOptions {
  workers?: string;
  batch?: string;
  leaf?: string;
  steps?: string;
  epochs?: string;
  seed: string;
  optimizer?: string;
  lr?: string;
  schedule?: string;
  earlyStopping?: string;
  gradientNoise?: string;
  evaluateEvery?: string;
  clipNorm?: string;
  clipTensorNorm?: string;
  clipValue?: string;
  listen?: string;
  tls?: boolean;
  minWorkers: string;
  audit: string;
  watchGradients?: true | string;
  runDir?: string;
  resume?: true | string;
  weights?: string;
  checkpointEvery: string;
  data?: string;
  text?: string;
  json?: true;
}

/** What to train and how, complete and checked. */
export interface TrainSettings extends NodeSettings {
  readonly recipe: string;
  /** Nodes on this machine; 0 when all of the work is left to others. */
  readonly workers: number;
  /** Samples per step over all workers. */
  readonly batch: number;
  /** Samples per leaf of the canonical sum, at most `batch`. */
  readonly leaf: number;
  readonly length: { readonly steps: number } | { readonly epochs: number };
  /** 0 to 2^32 - 1. */
  readonly seed: number;
  readonly optimizer: OptimizerSettings;
  /** Instead of the optimizer's own. */
  readonly learningRate: number;
  readonly schedule: ScheduleSettings;
  readonly clipping: Clipping | undefined;
  readonly gradientNoise: GradientNoise | undefined;
  /** When the run ends before its last step; undefined: it does not. */
  readonly earlyStopping: EarlyStopping | undefined;
  /** Steps between two evaluations; undefined: those of an epoch. */
  readonly evaluateEvery: number | undefined;
  readonly listen: ListenAddress;
  /** Whether connections are encrypted. */
  readonly tls: boolean;
  /** Workers, local ones included, that must be there before the first step. */
  readonly minWorkers: number;
  /** Backprop is looked at before every so many steps: 0 never, undefined about a hundred times in all. */
  readonly watchEvery: number | undefined;
  /** 0 to 1: so much of what comes over links is computed twice and compared. */
  readonly audit: number;
  /** How often the run is saved; undefined: never. */
  readonly checkpoints: CheckpointPolicy | undefined;
  /** Folder for the run's files; undefined: a new one under runs/. */
  readonly runDir: string | undefined;
  /** A run or file whose weights the run begins with; undefined: it draws them. */
  readonly weights: string | undefined;
  /** Folder or file of a local copy of the recipe's data; undefined: where the recipe finds it by itself. */
  readonly data: string | undefined;
  readonly json: boolean;
}

/**
 * Checks the options of `train` and fills in what the user left to the recipe and the machine.
 * @param recipe name of the recipe that `defaults` belongs to
 * @param cores processors of this machine: the default number of local nodes
 * @throws {UserError} (wrong usage) naming the option and what it takes
 */
export function parseTrainOptions(
  recipe: string,
  defaults: RecipeDefaults,
  options: TrainOptions,
  cores: number,
): TrainSettings {
  const count = (option: string, text: string | undefined, most: number, otherwise: number): number =>
    text === undefined ? otherwise : wholeNumber(option, text, { least: 1, most });
  const optimizer = options.optimizer === undefined ? defaults.optimizer : optimizerByName(options.optimizer);
  const listen = parseListenAddress(options.listen ?? '127.0.0.1:0');
  const batch = count('--batch', options.batch, MOST_BATCH, defaults.batch);
  return {
    recipe,
    ...parseNodeOptions(options),
    workers: parseWorkers(options, Math.min(cores, MOST_WORKERS)),
    batch,
    leaf: parseLeaf(options.leaf, batch, defaults.leaf),
    length: parseLength(options, defaults),
    seed: wholeNumber('--seed', options.seed, { least: 0, most: MOST_SEED }),
    optimizer,
    learningRate: options.lr === undefined ? optimizer.learningRate : positiveNumber('--lr', options.lr),
    schedule: parseSchedule(options.schedule) ?? defaults.schedule ?? constant(),
    clipping: parseClipping(options) ?? defaults.clipping,
    gradientNoise: parseGradientNoise(options.gradientNoise, defaults.gradientNoise),
    earlyStopping: parseEarlyStopping(options.earlyStopping, defaults.earlyStopping),
    evaluateEvery:
      options.evaluateEvery === undefined
        ? defaults.evaluateEvery
        : wholeNumber('--evaluate-every', options.evaluateEvery, { least: 1, most: MOST_STEPS }),
    listen,
    tls: options.tls ?? !isLoopback(listen.host),
    minWorkers: wholeNumber('--min-workers', options.minWorkers, { least: 1, most: MOST_AWAITED }),
    watchEvery: parseWatch(options.watchGradients),
    audit: fraction('--audit', options.audit),
    checkpoints: parseCheckpoints(options.checkpointEvery),
    runDir: options.runDir,
    weights: options.weights,
    data: parseData(options),
    json: options.json ?? false,
  };
}

function parseWatch(option: TrainOptions['watchGradients']): number | undefined {
  if (option === true) return undefined;
  return option === undefined ? 0 : wholeNumber('--watch-gradients', option, { least: 1, most: MOST_STEPS });
}

function parseCheckpoints(text: string): CheckpointPolicy | undefined {
  const [, seconds] = /^(\d+)s$/.exec(text) ?? [];
  if (seconds === undefined) {
    const everySteps = wholeNumber('--checkpoint-every', text, { least: 0, most: MOST_STEPS });
    return everySteps === 0 ? undefined : { everySteps };
  }
  return {
    everyMs: 1000 * wholeNumber('--checkpoint-every', seconds, { least: 1, most: MOST_SECONDS }),
  };
}

/** Two names for one thing: a recipe takes a folder, or a text. */
function parseData({ data, text }: TrainOptions): string | undefined {
  if (data !== undefined && text !== undefined)
    throw new UserError('--data and --text exclude each other: give one of them', 2);
  return data ?? text;
}

/** Without local workers someone must be able to join: that takes an address which others know. */
function parseWorkers({ workers, listen }: TrainOptions, otherwise: number): number {
  if (workers === undefined) return otherwise;
  if (workers === '0' && listen !== undefined) return 0;
  if (workers === '0')
    throw new UserError('--workers 0 needs --listen HOST:PORT, or nobody can join to do the work', 2);
  return wholeNumber('--workers', workers, { least: 1, most: MOST_WORKERS });
}

/** The recipe's leaf shrinks with a small batch; one that the user asked for is taken as it is or refused. */
function parseLeaf(text: string | undefined, batch: number, otherwise: number): number {
  if (text === undefined) return Math.min(otherwise, batch);
  const leaf = wholeNumber('--leaf', text, { least: 1, most: MOST_BATCH });
  if (leaf <= batch) return leaf;
  throw new UserError(`--leaf ${leaf} exceeds the batch of ${batch} samples: take at most ${batch}`, 2);
}

function parseLength(
  { steps, epochs }: TrainOptions,
  otherwise: Pick<RecipeDefaults, 'epochs' | 'steps'>,
): TrainSettings['length'] {
  if (steps !== undefined && epochs !== undefined) {
    throw new UserError('--steps and --epochs exclude each other: give one of them', 2);
  }
  if (steps !== undefined) return { steps: wholeNumber('--steps', steps, { least: 1, most: MOST_STEPS }) };
  if (epochs === undefined)
    return otherwise.steps === undefined ? { epochs: otherwise.epochs } : { steps: otherwise.steps };
  return { epochs: wholeNumber('--epochs', epochs, { least: 1, most: MOST_EPOCHS }) };
}
