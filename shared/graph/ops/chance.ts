import { assert } from '../../errors.js';
import { keyOf } from '../keys.js';
import type { OpCall } from './op.js';

/** What kernels that draw random numbers are told of the samples at hand. */
interface Chance {
  readonly cursor: number;
  readonly first: number;
  readonly rows: number;
  readonly key0: number;
  readonly key1: number;
}

/**
 * Where a node's random numbers come from.
 * @param purpose tells several draws of one node apart
 */
export function chanceOf(purpose: string, { rows, training }: OpCall<unknown, never>): Chance {
  assert(training !== undefined, `${purpose} is for training only`);
  const { seed, name, cursor, first } = training;
  return { cursor, first, rows, ...keyOf(purpose, seed, name) };
}
