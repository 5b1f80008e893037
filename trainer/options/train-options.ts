import type { CheckpointPolicy, PlacementPolicy } from '../../coordinator/state/run-settings.js';
import { CODECS, type Compression } from '../../shared/codec/codec.js';
import { innerBatch, type StepShape } from '../../shared/data/step-shape.js';
import { UserError } from '../../shared/errors.js';
import { type ListenAddress, parseListenAddress } from '../../shared/link/listen.js';
import { metricByName } from '../../shared/metrics/metric-names.js';
import type { Clipping } from '../../shared/optim/clipping.js';
import type { EarlyStopping } from '../../shared/optim/early-stopping.js';
import type { GradientNoise } from '../../shared/optim/gradient-noise.js';
import { localOf, type Sync } from '../../shared/optim/local-updates.js';
import { constant, type ScheduleSettings } from '../../shared/optim/schedule.js';
import { type OptimizerSettings, optimizerByName } from '../../shared/optim/settings.js';
import { checkLocalRun, runSteps, stepsOfRun } from '../local-run.js';
import type { Recipe } from '../recipe.js';
import { type ComputeOptions, type ComputeSettings, parseComputeOptions } from './compute-options.js';
import {
  parseClipping,
  parseEarlyStopping,
  parseGradientNoise,
  parseSchedule,
  parseSync,
} from './learning-options.js';
import { fraction, oneOf, positiveNumber, wholeNumber } from './option-values.js';
import { type PortOptions, type PortSettings, parsePortOptions } from './port-options.js';

const PLACEMENTS: readonly PlacementPolicy[] = ['auto', 'all'];
/** Most local workers of one command. */
const WORKERS_MAX = 1024;
/** Most workers that a run may wait for. */
const MIN_WORKERS_MAX = 100_000;
const BATCH_MAX = 1 << 20;
const STEPS_MAX = 1e12;
const EPOCHS_MAX = 1e6;
const SECONDS_MAX = 1e6;
/** Seeds are 32-bit keys of the counter-based generator. */
const SEED_MAX = 2 ** 32 - 1;

/** The settings of a recipe that options override. All of them reach the weights. */
export type RecipeDefaults = Pick<
  Recipe,
  | 'batch'
  | 'leafSize'
  | 'epochs'
  | 'steps'
  | 'optimizer'
  | 'sync'
  | 'schedule'
  | 'clipping'
  | 'gradientNoise'
  | 'compress'
  | 'earlyStopping'
  | 'evaluateEvery'
>;

/** Options of `train` as commander returns them: text, and absent where the user gave none. */
export interface TrainOptions extends ComputeOptions, PortOptions {
  workers?: string;
  batch?: string;
  leafSize?: string;
  steps?: string;
  epochs?: string;
  seed: string;
  optimizer?: string;
  ema?: string;
  sync?: string;
  lr?: string;
  schedule?: string;
  earlyStopping?: string;
  gradientNoise?: string;
  compress?: string;
  evaluateEvery?: string;
  validation?: string;
  metrics?: string;
  clipNorm?: string;
  clipTensorNorm?: string;
  clipValue?: string;
  listen?: string;
  minWorkers: string;
  audit: string;
  ban?: string;
  placement: string;
  inspectGradients?: true | string;
  runDir?: string;
  resume?: true | string;
  standby?: true;
  weights?: string;
  freeze?: string;
  checkpointEvery: string;
  keepCheckpoints: string;
  data?: string;
  text?: string;
  json?: true;
}

/** What to train and how, complete and checked. */
export interface TrainSettings extends ComputeSettings, PortSettings {
  /** Name of a recipe, or path of a recipe file. */
  readonly recipe: string;
  /** Workers in this process; 0 when only remote workers compute. */
  readonly workers: number;
  /** Samples per step, over all workers and replicas. */
  readonly batch: number;
  /** An exchange at every step, or local updates. */
  readonly sync: Sync;
  /** Samples per leaf of the canonical sum, at most those of an optimizer step. */
  readonly leafSize: number;
  readonly length: { readonly steps: number } | { readonly epochs: number };
  /** 0 to 2^32 - 1. */
  readonly seed: number;
  readonly optimizer: OptimizerSettings;
  /** The base learning rate, in place of the optimizer's own. */
  readonly learningRate: number;
  readonly schedule: ScheduleSettings;
  readonly clipping: Clipping | undefined;
  readonly gradientNoise: GradientNoise | undefined;
  /** How gradients are rounded before they are exchanged; undefined: not at all. */
  readonly compress: Compression | undefined;
  /** When the run ends before its last step; undefined: never. */
  readonly earlyStopping: EarlyStopping | undefined;
  /** Steps between two evaluations; undefined: one epoch. */
  readonly evaluateEvery: number | undefined;
  /** Share of the training samples that is set aside for evaluations; undefined: those of the recipe. */
  readonly validation: number | undefined;
  /** Names of metrics of every evaluation, besides those of the recipe. */
  readonly metrics: readonly string[] | undefined;
  readonly listen: ListenAddress;
  /** Workers, local ones included, that must be ready before the first step. */
  readonly minWorkers: number;
  /** Gradients are inspected every so many steps: 0 never, undefined about a hundred times per run. */
  readonly inspectEvery: number | undefined;
  /** Fraction of the results received over links that is computed a second time and compared, 0 to 1. */
  readonly audit: number;
  /** Machines that may not work for the run, by the name or the key of their workers. */
  readonly banned: readonly string[] | undefined;
  /** Which remote members are given work. */
  readonly placement: PlacementPolicy;
  /** When checkpoints are saved; undefined: never. */
  readonly checkpoints: CheckpointPolicy | undefined;
  /** How many checkpoints are kept besides the best; undefined: all. */
  readonly keepCheckpoints: number | undefined;
  /** Directory for the run's files; undefined: a new one under runs/. */
  readonly runDir: string | undefined;
  /** Run directory or file with the initial weights; undefined: they are drawn from the seed. */
  readonly weights: string | undefined;
  /** Names of layers that keep their initial weights; undefined: those of the recipe alone. */
  readonly freeze: readonly string[] | undefined;
  /** Local copy of the recipe's data, a folder or a file; undefined: the recipe's own source. */
  readonly data: string | undefined;
  readonly json: boolean;
}

/**
 * Checks the options of `train` and fills in the defaults of the recipe and the machine.
 * @param recipe name of the recipe that `defaults` belongs to
 * @param cores cores of this machine: the default number of local workers
 * @throws {UserError} (wrong usage) that names the option and what it takes
 */
export function parseTrainOptions(
  recipe: string,
  defaults: RecipeDefaults,
  options: TrainOptions,
  cores: number,
): TrainSettings {
  const optimizer = parseOptimizer(options, defaults);
  const listen = parseListenAddress(options.listen ?? '127.0.0.1:0');
  const batch = parseBatch(options.batch, defaults.batch);
  const sync = parseSync(options.sync) ?? defaults.sync ?? 'step';
  const gradientNoise = parseGradientNoise(options.gradientNoise, defaults.gradientNoise);
  checkLocalRun({ sync, batch, optimizer, gradientNoise });
  const inspectEvery = parseInspectEvery(options.inspectGradients);
  if (sync !== 'step' && inspectEvery !== 0)
    throw new UserError('--inspect-gradients looks into single steps: leave it out, or take --sync step', 2);
  return {
    recipe,
    ...parseComputeOptions(options),
    workers: parseWorkers(options, Math.min(cores, WORKERS_MAX)),
    batch,
    sync,
    leafSize: parseLeafSize(options.leafSize, innerBatch({ batch, local: localOf(sync) }), defaults.leafSize),
    length: parseLength(options, defaults, sync),
    seed: wholeNumber('--seed', options.seed, { least: 0, most: SEED_MAX }),
    optimizer,
    learningRate: options.lr === undefined ? optimizer.learningRate : positiveNumber('--lr', options.lr),
    schedule: parseSchedule(options.schedule) ?? defaults.schedule ?? constant(),
    clipping: parseClipping(options) ?? defaults.clipping,
    gradientNoise,
    compress: parseCompression(options.compress ?? defaults.compress),
    earlyStopping: parseEarlyStopping(options.earlyStopping, defaults.earlyStopping),
    evaluateEvery:
      options.evaluateEvery === undefined
        ? defaults.evaluateEvery && runSteps(sync, defaults.evaluateEvery)
        : wholeNumber('--evaluate-every', options.evaluateEvery, { least: 1, most: STEPS_MAX }),
    validation: parseValidation(options.validation),
    metrics: parseMetrics(options.metrics),
    listen,
    ...parsePortOptions(options, listen),
    minWorkers: wholeNumber('--min-workers', options.minWorkers, { least: 1, most: MIN_WORKERS_MAX }),
    inspectEvery,
    audit: fraction('--audit', options.audit),
    banned: options.ban?.split(',').map((name) => name.trim()),
    placement: oneOf('--placement', options.placement, PLACEMENTS),
    checkpoints: parseCheckpoints(options.checkpointEvery),
    keepCheckpoints:
      options.keepCheckpoints === 'all'
        ? undefined
        : wholeNumber('--keep-checkpoints', options.keepCheckpoints, { least: 1, most: STEPS_MAX }),
    runDir: options.runDir,
    weights: options.weights,
    freeze: options.freeze?.split(',').map((name) => name.trim()),
    data: parseData(options),
    json: options.json ?? false,
  };
}

/** Steps of a whole run. @param samples of the training data */
export function stepsOf(settings: ShapeSettings & Pick<TrainSettings, 'length'>, samples: number): number {
  return stepsOfRun(settings.length, shapeOf(settings, samples));
}

type ShapeSettings = Pick<TrainSettings, 'batch' | 'leafSize' | 'sync'>;

/** What a step of a run takes. @param samples of the training data */
export function shapeOf({ batch, leafSize, sync }: ShapeSettings, samples: number): StepShape {
  return { samples, batch, leafSize, local: localOf(sync) };
}

function parseBatch(text: string | undefined, recipes: number): number {
  return text === undefined ? recipes : wholeNumber('--batch', text, { least: 1, most: BATCH_MAX });
}

function parseCompression(text = 'none'): Compression | undefined {
  const codec = oneOf('--compress', text, CODECS);
  return codec === 'none' ? undefined : codec;
}

function parseValidation(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const share = fraction('--validation', text);
  if (share > 0 && share < 1) return share;
  throw new UserError(`--validation takes a share above 0 and below 1, such as 0.1, not "${text}"`, 2);
}

function parseOptimizer({ optimizer, ema }: TrainOptions, defaults: RecipeDefaults): OptimizerSettings {
  const settings = optimizer === undefined ? defaults.optimizer : optimizerByName(optimizer);
  if (ema === undefined) return settings;
  const decay = fraction('--ema', ema);
  if (decay > 0 && decay < 1) return { ...settings, ema: decay };
  throw new UserError(`--ema takes a decay above 0 and below 1, such as 0.999, not "${ema}"`, 2);
}

/** @throws UserError when there is no such metric */
function parseMetrics(text: string | undefined): readonly string[] | undefined {
  const names = text?.split(',').map((name) => name.trim());
  for (const name of names ?? []) metricByName(name);
  return names;
}

function parseInspectEvery(option: TrainOptions['inspectGradients']): number | undefined {
  if (option === true) return undefined;
  return option === undefined ? 0 : wholeNumber('--inspect-gradients', option, { least: 1, most: STEPS_MAX });
}

function parseCheckpoints(text: string): CheckpointPolicy | undefined {
  const [, seconds] = /^(\d+)s$/.exec(text) ?? [];
  if (seconds === undefined) {
    const everySteps = wholeNumber('--checkpoint-every', text, { least: 0, most: STEPS_MAX });
    return everySteps === 0 ? undefined : { everySteps };
  }
  return {
    everyMs: 1000 * wholeNumber('--checkpoint-every', seconds, { least: 1, most: SECONDS_MAX }),
  };
}

/** Two names for the same setting: some recipes take a folder, others a text. */
function parseData({ data, text }: TrainOptions): string | undefined {
  if (data !== undefined && text !== undefined)
    throw new UserError('--data and --text exclude each other: give one of them', 2);
  return data ?? text;
}

/** Without local workers, remote ones must be able to join, at an address that they know. */
function parseWorkers({ workers, listen }: TrainOptions, cores: number): number {
  if (workers === undefined) return cores;
  if (workers === '0' && listen !== undefined) return 0;
  if (workers === '0')
    throw new UserError('--workers 0 needs --listen HOST:PORT, so that remote workers can join', 2);
  return wholeNumber('--workers', workers, { least: 1, most: WORKERS_MAX });
}

/** The recipe's leaf size shrinks to a smaller batch; one that the user gave is used as it is or refused. */
function parseLeafSize(text: string | undefined, batch: number, recipes: number): number {
  if (text === undefined) return Math.min(recipes, batch);
  const leafSize = wholeNumber('--leaf-size', text, { least: 1, most: BATCH_MAX });
  if (leafSize <= batch) return leafSize;
  throw new UserError(
    `--leaf-size ${leafSize} exceeds the batch of ${batch} samples: take at most ${batch}`,
    2,
  );
}

function parseLength(
  { steps, epochs }: TrainOptions,
  recipes: Pick<RecipeDefaults, 'epochs' | 'steps'>,
  sync: Sync,
): TrainSettings['length'] {
  if (steps !== undefined && epochs !== undefined) {
    throw new UserError('--steps and --epochs exclude each other: give one of them', 2);
  }
  if (steps !== undefined) return { steps: wholeNumber('--steps', steps, { least: 1, most: STEPS_MAX }) };
  if (epochs !== undefined)
    return { epochs: wholeNumber('--epochs', epochs, { least: 1, most: EPOCHS_MAX }) };
  return recipes.steps === undefined ? { epochs: recipes.epochs } : { steps: runSteps(sync, recipes.steps) };
}
