import { UserError } from '../../shared/errors.js';
import type { GenerationRequest } from './generator.js';

/** How a text is continued. */
export interface GenerateOptions {
  /** Characters to write. Default: 200. */
  readonly length?: number;
  /** 0 takes the likeliest character; more is more varied. Default: 1. */
  readonly temperature?: number;
  /** Draw from the k likeliest characters. Default: all. */
  readonly topK?: number;
  /** Draw from the likeliest characters that together have this probability. Default: 1, all. */
  readonly topP?: number;
  /** Seed of the draws, an integer in [0, 2^32). Default: 0. */
  readonly seed?: number;
  /** Whether what earlier characters have left is kept. The text does not depend on it. Default: true. */
  readonly cache?: boolean;
  /** Ends the text: the generator throws the reason. */
  readonly signal?: AbortSignal;
}

export const GENERATE_OPTIONS = ['length', 'temperature', 'topK', 'topP', 'seed', 'cache', 'signal'];

const LENGTH_MAX = 1e9;
const SEED_MAX = 2 ** 32 - 1;

/** Checks options and fills in defaults. @throws UserError that names the option and what it takes */
export function generationRequest(
  prompt: string,
  options: Omit<GenerateOptions, 'signal'>,
): GenerationRequest {
  const { length = 200, temperature = 1, topK, topP = 1, seed = 0, cache = true } = options;
  const check = (isRight: boolean, name: string, takes: string, value: unknown): void => {
    if (!isRight) throw new UserError(`generate: ${name} is ${takes}, not ${value}`, 2);
  };
  const isWhole = (value: number, least: number, most: number): boolean =>
    Number.isInteger(value) && value >= least && value <= most;
  check(isWhole(length, 0, LENGTH_MAX), 'length', `a whole number up to ${LENGTH_MAX}`, length);
  check(Number.isFinite(temperature) && temperature >= 0, 'temperature', 'a number from 0', temperature);
  check(topK === undefined || isWhole(topK, 1, LENGTH_MAX), 'topK', 'a whole number from 1', topK);
  check(topP > 0 && topP <= 1, 'topP', 'above 0 and at most 1', topP);
  check(isWhole(seed, 0, SEED_MAX), 'seed', `a whole number up to ${SEED_MAX}`, seed);
  return { prompt, length, temperature, topK, topP, seed, cache };
}
