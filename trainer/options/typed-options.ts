/*
 * The options of `train` for programs: each is the typed form of an option of the command line, and is turned into the text
 * that a user would type. So both take the same values with the same limits, and a run that a program has started can be
 * resumed from the command line.
 */

import { UserError } from '../../shared/errors.js';
import { checkOptionNames } from '../../shared/nearest.js';
import type { EarlyStopping } from '../../shared/optim/early-stopping.js';
import type { GradientNoise } from '../../shared/optim/gradient-noise.js';
import type { Sync } from '../../shared/optim/local-updates.js';
import type { ScheduleSettings } from '../../shared/optim/schedule.js';
import type { TrainOptions } from './train-options.js';

/** Options of a run. Those left out are the recipe's, or those of the command line. */
export interface TypedOptions {
  /** Samples per step, over all workers. */
  readonly batch?: number;
  /** Samples per leaf of the canonical sum, at most the batch. */
  readonly leafSize?: number;
  /** Length of the run in steps. */
  readonly steps?: number;
  /** Length of the run in passes over the data. */
  readonly epochs?: number;
  /** Local copy of the recipe's data. */
  readonly data?: string;
  /** Text to learn, for recipes of texts. */
  readonly text?: string;
  /** Seed of initial weights, shuffling, dropout and augmentation: an integer in [0, 2^32). Default: 0. */
  readonly seed?: number;
  /** Initial weights: a run directory or a file of weights. Default: random. */
  readonly weights?: string;
  /** Names of layers that keep their initial weights, separated by commas; * stands for any text. */
  readonly freeze?: string;
  /** Name of an optimizer with its default settings; others are set by the recipe. */
  readonly optimizer?: string;
  /** Decay of a moving average of the weights, with which the run is evaluated and ends. */
  readonly ema?: number;
  /** 'step': an exchange at every step; localUpdates(), or text such as 'local:replicas=4,steps=30': local updates. */
  readonly sync?: string | Sync;
  /** Learning rate. */
  readonly lr?: number;
  /** Learning rate schedule: settings such as cosineDecay(), or text such as 'cosine:warmup=100'. */
  readonly schedule?: string | ScheduleSettings;
  /** Clip the gradient to this global norm. */
  readonly clipNorm?: number;
  /** Clip the gradient of each parameter to this norm. */
  readonly clipTensorNorm?: number;
  /** Clip each element of the gradient to [-X, X]. */
  readonly clipValue?: number;
  /** Noise of variance eta / (1 + step)^gamma added to the gradient: eta or settings; false: none. */
  readonly gradientNoise?: number | false | GradientNoise;
  /** Rounding of gradients before they are exchanged: 'none', 'bf16', 'int8' or 'int4'. */
  readonly compress?: string;
  /** Steps between two evaluations. Default: one epoch. */
  readonly evaluateEvery?: number;
  /** Share of the training samples that is set aside for evaluations; the test samples are then measured once, at the end. */
  readonly validation?: number;
  /** Metrics of every evaluation, besides those of the recipe: names such as 'f1,top5'. */
  readonly metrics?: string;
  /** Evaluations in a row without improvement after which the run ends, or settings; false: never. */
  readonly earlyStopping?: number | false | EarlyStopping;
  /** Local workers. Default: one per core; 0: remote workers only. */
  readonly workers?: number;
  /** Compute threads per worker. Default: 1. */
  readonly threads?: number;
  /** Kernel build; all give the same bits. Default: 'auto'. */
  readonly backend?: string;
  /** Address for remote workers, 'host:port'. Default: loopback only, any free port. */
  readonly listen?: string;
  /** Whether connections are encrypted. Default: unless the address is loopback. */
  readonly tls?: boolean;
  /** Files of a certificate and its key for encrypted connections, PEM. Default: the run makes its own. */
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  /** Under which a proxy or a tunnel offers the page, such as 'https://example.com/unisum'. */
  readonly publicUrl?: string;
  /** Addresses and networks of proxies whose X-Forwarded-For is believed, such as '127.0.0.1,10.0.0.0/8'. */
  readonly trustProxy?: string;
  /** File that holds the join line while the run listens, for workers that a scheduler starts. */
  readonly joinFile?: string;
  /** Tell the local network, by multicast DNS, that the run is here. */
  readonly announce?: true;
  /** Workers, local ones included, to wait for before the first step. Default: 1. */
  readonly minWorkers?: number;
  /** Remote workers that are given work: 'auto' or 'all'. */
  readonly placement?: string;
  /** Fraction of remote workers' results that is computed twice and compared, 0 to 1. Default: 0. */
  readonly audit?: number;
  /** Machines that may not work for the run, by the name or the key of their workers: 'eve' or 'eve,bob'. */
  readonly ban?: string;
  /** Directory for the run's files. Default: a new one in runs/. */
  readonly runDir?: string;
  /** A checkpoint every so many steps, or seconds ('30s'); 0: never. Default: '10s'. */
  readonly checkpointEvery?: number | string;
  /** Checkpoints to keep besides the best: a number, or 'all'. Default: 3. */
  readonly keepCheckpoints?: number | 'all';
  /** The run directory to resume; true: the latest run in runs/. */
  readonly resume?: true | string;
  /** Record error terms and gradients every so many steps; true: about 100 times per run. */
  readonly inspectGradients?: true | number;
}

/** The options of the command line that hold for every run, as commander fills them in. */
const DEFAULTS = {
  seed: '0',
  threads: '1',
  backend: 'auto',
  minWorkers: '1',
  placement: 'auto',
  audit: '0',
  checkpointEvery: '10s',
  keepCheckpoints: '3',
} as const satisfies Partial<TrainOptions>;

/** Every option; the type requires them all. */
const NAMES: Record<keyof TypedOptions, true> &
  Record<Exclude<keyof TrainOptions, 'json' | 'standby'>, true> = {
  ...{ batch: true, leafSize: true, steps: true, epochs: true, data: true, text: true, seed: true },
  ...{
    weights: true,
    freeze: true,
    optimizer: true,
    lr: true,
    schedule: true,
    clipNorm: true,
    clipTensorNorm: true,
  },
  ...{
    clipValue: true,
    gradientNoise: true,
    compress: true,
    evaluateEvery: true,
    earlyStopping: true,
    workers: true,
  },
  ...{
    threads: true,
    backend: true,
    listen: true,
    tls: true,
    tlsCert: true,
    tlsKey: true,
    publicUrl: true,
    trustProxy: true,
    joinFile: true,
    announce: true,
    minWorkers: true,
    placement: true,
  },
  ...{ audit: true, ban: true, runDir: true, checkpointEvery: true, keepCheckpoints: true, resume: true },
  ...{ inspectGradients: true, sync: true, validation: true, metrics: true, ema: true },
};

/** The names of all options. */
export const OPTION_NAMES: readonly string[] = Object.keys(NAMES);

/** The first setting of options that are written as HEAD:KEY=VALUE; that of `sync` is always `local`. */
const HEADS: Readonly<Record<string, string>> = {
  schedule: 'name',
  gradientNoise: 'eta',
  earlyStopping: 'patience',
};

/**
 * Options as the command line would have them.
 * @returns those that are given, and all with the defaults of the command line
 * @throws UserError when an option is unknown
 */
export function textsOf(options: TypedOptions): { given: Partial<TrainOptions>; all: TrainOptions } {
  checkOptionNames('train()', options, OPTION_NAMES);
  const given = Object.fromEntries(
    Object.entries(options)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, textOf(name, value)]),
  ) as Partial<TrainOptions>;
  return { given, all: { ...DEFAULTS, ...given } };
}

/** Options that are switched on or off, or take their usual value with `true`. */
const SWITCHES: Readonly<Record<string, readonly boolean[]>> = {
  tls: [true, false],
  announce: [true],
  resume: [true],
  inspectGradients: [true],
  gradientNoise: [false],
  earlyStopping: [false],
};

/** @throws UserError for a value that no option of the command line could have, which its text would hide */
function textOf(name: string, value: unknown): unknown {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'boolean' && SWITCHES[name]?.includes(value))
    return value || name === 'tls' ? value : '0';
  const head = HEADS[name];
  const takesSettings = head !== undefined || name === 'sync';
  if (!takesSettings || typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UserError(
      `train() takes no ${JSON.stringify(value) ?? typeof value} as ${name}; leave it out for the default, or give a value of its type in TrainingOptions`,
    );
  if (head === undefined) return `local:${textOfSettings(value)}`;
  const { [head]: first, ...others } = value as Record<string, unknown>;
  const settings = textOfSettings(others);
  return settings === '' ? String(first) : `${first}:${settings}`;
}

function textOfSettings(settings: object): string {
  return Object.entries(settings)
    .map(([key, setting]) => `${key}=${setting}`)
    .join(',');
}
