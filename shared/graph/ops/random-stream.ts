import { assert } from '../../errors.js';
import { keyOf } from '../keys.js';
import type { OpCall } from './op.js';

/** The arguments of kernels that draw random numbers for samples. */
interface RandomStream {
  readonly cursor: number;
  readonly first: number;
  readonly rows: number;
  readonly key0: number;
  readonly key1: number;
}

/**
 * The random stream of a node.
 * @param purpose distinguishes several draws of one node
 */
export function randomStreamOf(purpose: string, { rows, training }: OpCall<unknown, never>): RandomStream {
  assert(training !== undefined, `${purpose} is for training only`);
  const { seed, name, cursor, first } = training;
  return { cursor, first, rows, ...keyOf(purpose, seed, name) };
}
