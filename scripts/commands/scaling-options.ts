import type { Recipe } from '../../coordinator/recipe.js';
import { UserError } from '../../shared/errors.js';
import { BACKENDS } from '../../shared/kernels/kernels.js';
import { parsePeer, sizes } from './bench-options.js';
import type { BenchScalingSettings } from './bench-scaling-run.js';
import { oneOf, wholeNumber } from './numbers.js';

/** Workers, threads or processes that one point may take. */
const MOST_UNITS = 256;
const MOST_REPEATS = 100;
const MOST_BATCH = 1 << 20;

/** Options of `bench scaling` as commander hands them over. */
export interface ScalingOptions {
  workers?: string;
  threads?: string;
  remote?: string;
  batch?: string;
  backend: string;
  repeats: string;
  peer?: string;
  data?: string;
  html?: string;
  json?: true;
}

/** What is measured. */
export interface ScalingSubject {
  readonly name: string;
  readonly recipe: Recipe;
  /** Its name for a peer, if peers know it. */
  readonly peerWorkload: string | undefined;
}

/**
 * @param cores processors of this machine: how far curves go by default
 * @throws {UserError} (wrong usage) naming the option and what it takes
 */
export function parseScalingOptions(
  { name, recipe, peerWorkload }: ScalingSubject,
  options: ScalingOptions,
  cores: number,
): BenchScalingSettings {
  const units = (option: 'workers' | 'threads' | 'remote'): number[] => {
    const text = options[option];
    const counts = text === undefined ? powersUpTo(cores) : sizes(`--${option}`, text, MOST_UNITS);
    // Every curve is relative to one unit.
    return [...new Set([1, ...counts])].sort((a, b) => a - b);
  };
  const peer = options.peer === undefined ? undefined : parsePeer(options.peer);
  if (peer !== undefined && peerWorkload === undefined) {
    throw new UserError(`--peer ${peer} knows the workloads of bench step, not the recipe ${name}`, 2);
  }
  return {
    ...{ name, recipe, data: options.data, html: options.html, json: options.json ?? false },
    batch:
      options.batch === undefined
        ? recipe.batch
        : wholeNumber('--batch', options.batch, { least: 1, most: MOST_BATCH }),
    units: { workers: units('workers'), threads: units('threads'), remote: units('remote') },
    backend: oneOf('--backend', options.backend, ['auto', ...BACKENDS]),
    repeats: wholeNumber('--repeats', options.repeats, { least: 1, most: MOST_REPEATS }),
    peerWorkload: peer === undefined ? undefined : peerWorkload,
  };
}

/** 1, 2, 4 ... and the number of cores itself. */
function powersUpTo(cores: number): number[] {
  const powers = [];
  for (let n = 1; n < cores; n *= 2) powers.push(n);
  return [...powers, cores];
}
