import { UserError } from '../../shared/errors.js';
import { BACKENDS, type Backend } from '../../shared/kernels/kernels.js';
import { parseBackend } from '../../trainer/options/compute-options.js';
import { fraction, oneOf, someOf, wholeNumber, wholeNumbers } from '../../trainer/options/option-values.js';
import type { Recipe } from '../../trainer/recipe.js';
import { PLAIN, parseExchange } from '../bench/exchange.js';
import { parseNetworkShape } from '../bench/network-shape.js';
import type { Target } from '../bench/target-watch.js';
import type { BenchJoiningSettings } from './bench-joining-run.js';
import type { BenchScalingSettings } from './bench-scaling-run.js';
import type { BenchWireSettings } from './bench-wire-run.js';

const WINDOWS_MAX = 1000;
const BATCH_MAX = 1 << 20;
/** Most workers, threads or processes at one point of a scaling curve. */
const UNITS_MAX = 256;
const REPEATS_MAX = 100;
const SECONDS_MAX = 600;
/** A message fits a frame, with room for its header. */
const MESSAGE_BYTES_MAX = 200 * 2 ** 20;
const MESSAGES_MAX = 100_000;
/** Part of a second in which a machine may be stopped. */
const PAUSE_MOST = 0.9;
const PEERS = ['pytorch'] as const;

/** Another trainer to compare with. */
export type PeerName = (typeof PEERS)[number];

/** Settings of `bench step` and `bench kernels`. */
export interface BenchSettings {
  /** Undefined: all backends that this machine has. */
  readonly backends: readonly Backend[] | undefined;
  readonly peer: PeerName | undefined;
  /** Windows of measurement; results are their medians. */
  readonly windows: number;
  readonly anyLoad: boolean;
  readonly json: boolean;
}

/** The same as commander returns it. */
export interface BenchOptions {
  backend?: string;
  peer?: string;
  windows: string;
  anyLoad?: true;
  json?: true;
}

/** @throws {UserError} (wrong usage) that names the option and what it takes */
export function parseBenchOptions({ backend, peer, windows, anyLoad, json }: BenchOptions): BenchSettings {
  return {
    backends: backend === undefined ? undefined : someOf('--backend', backend, BACKENDS),
    peer: peer === undefined ? undefined : oneOf('--peer', peer, PEERS),
    windows: wholeNumber('--windows', windows, { least: 1, most: WINDOWS_MAX }),
    anyLoad: anyLoad ?? false,
    json: json ?? false,
  };
}

/** @throws {UserError} (wrong usage) that names the option and what it takes */
export function parseBatches(text: string): number[] {
  return wholeNumbers('--batch', text, BATCH_MAX);
}

/** Options of `bench scaling` as commander returns them. */
export interface ScalingOptions {
  workers?: string;
  threads?: string;
  remote?: string;
  joined?: string;
  exchange?: string[];
  target?: string;
  batch?: string;
  backend: string;
  repeats: string;
  peer?: string;
  net?: string;
  data?: string;
  html?: string;
  anyLoad?: true;
  json?: true;
}

/** What `bench scaling` trains. */
export interface ScalingSubject {
  readonly name: string;
  readonly recipe: Recipe;
  /** The name under which peers know it; undefined: they do not. */
  readonly peerWorkload: string | undefined;
}

/**
 * @param cores cores of this machine: the default end of every curve
 * @throws {UserError} (wrong usage) that names the option and what it takes
 */
export function parseScalingOptions(
  { name, recipe, peerWorkload }: ScalingSubject,
  options: ScalingOptions,
  cores: number,
): BenchScalingSettings {
  const units = (option: 'workers' | 'threads' | 'remote' | 'joined'): number[] => {
    const text = options[option];
    const counts = text === undefined ? powersUpTo(cores) : wholeNumbers(`--${option}`, text, UNITS_MAX);
    // Every curve is relative to one unit.
    return [...new Set([1, ...counts])].sort((a, b) => a - b);
  };
  if (options.net !== undefined) parseNetworkShape('--net', options.net);
  const peer = options.peer === undefined ? undefined : oneOf('--peer', options.peer, PEERS);
  if (peer !== undefined && peerWorkload === undefined) {
    throw new UserError(`--peer ${peer} knows the workloads of bench step, not the recipe ${name}`, 2);
  }
  return {
    ...{ name, recipe, data: options.data, html: options.html, net: options.net },
    ...{ anyLoad: options.anyLoad ?? false, json: options.json ?? false },
    batch: batchOf(options.batch, recipe),
    units: {
      workers: units('workers'),
      threads: units('threads'),
      remote: units('remote'),
      joined: units('joined'),
    },
    exchanges: (options.exchange ?? [PLAIN.name]).map(parseExchange),
    target: options.target === undefined ? undefined : parseTarget(options.target),
    backend: parseBackend(options.backend),
    repeats: wholeNumber('--repeats', options.repeats, { least: 1, most: REPEATS_MAX }),
    peerWorkload: peer === undefined ? undefined : peerWorkload,
  };
}

/**
 * "accuracy=0.97" or "loss=0.1".
 * @throws {UserError} (wrong usage)
 */
function parseTarget(text: string): Target {
  const [metric = '', number = '', ...rest] = text.split('=');
  const value = Number(number);
  if (metric === '' || number.trim() === '' || !Number.isFinite(value) || rest.length > 0)
    throw new UserError(`--target takes METRIC=VALUE, such as accuracy=0.97 or loss=0.1, not "${text}"`, 2);
  return { metric, value };
}

/** Options of `bench joining` as commander returns them. */
export interface JoiningOptions {
  batch?: string;
  backend: string;
  seconds: string;
  repeats: string;
  net?: string;
  pause: string;
  control?: true;
  data?: string;
  anyLoad?: true;
  json?: true;
}

/** @throws {UserError} (wrong usage) that names the option and what it takes */
export function parseJoiningOptions(
  { name, recipe }: Pick<ScalingSubject, 'name' | 'recipe'>,
  options: JoiningOptions,
): BenchJoiningSettings {
  if (options.net !== undefined) parseNetworkShape('--net', options.net);
  const pause = fraction('--pause', options.pause);
  if (pause > PAUSE_MOST) throw new UserError(`--pause takes 0 to ${PAUSE_MOST}, not "${options.pause}"`, 2);
  return {
    ...{ name, data: options.data, net: options.net, pause, control: options.control ?? false },
    batch: batchOf(options.batch, recipe),
    backend: parseBackend(options.backend),
    seconds: wholeNumber('--seconds', options.seconds, { least: 1, most: SECONDS_MAX }),
    repeats: wholeNumber('--repeats', options.repeats, { least: 1, most: REPEATS_MAX }),
    anyLoad: options.anyLoad ?? false,
    json: options.json ?? false,
  };
}

/** Options of `bench wire` as commander returns them. */
export interface WireOptions {
  bytes: string;
  messages: string;
  windows: string;
  anyLoad?: true;
  json?: true;
}

/** @throws {UserError} (wrong usage) that names the option and what it takes */
export function parseWireOptions({
  bytes,
  messages,
  windows,
  anyLoad,
  json,
}: WireOptions): BenchWireSettings {
  return {
    bytes: wholeNumber('--bytes', bytes, { least: 1, most: MESSAGE_BYTES_MAX }),
    messages: wholeNumber('--messages', messages, { least: 1, most: MESSAGES_MAX }),
    windows: wholeNumber('--windows', windows, { least: 1, most: WINDOWS_MAX }),
    anyLoad: anyLoad ?? false,
    json: json ?? false,
  };
}

function batchOf(text: string | undefined, recipe: Recipe): number {
  return text === undefined ? recipe.batch : wholeNumber('--batch', text, { least: 1, most: BATCH_MAX });
}

/** 1, 2, 4 ... and the number of cores itself. */
function powersUpTo(cores: number): number[] {
  const powers = [];
  for (let n = 1; n < cores; n *= 2) powers.push(n);
  return [...powers, cores];
}
