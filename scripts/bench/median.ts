import { assert } from '../../shared/errors.js';

/** What several measurements of one thing come to. */
export interface Measured {
  readonly median: number;
  /** The smallest: what is left when nobody else was at work. */
  readonly fastest: number;
}

/** Median (the mean of the middle two for an even number) and smallest of some times. */
export function measured(times: readonly number[]): Measured {
  assert(times.length > 0, 'there is no median of nothing');
  const sorted = [...times].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = ((sorted[Math.ceil(middle) - 1] as number) + (sorted[Math.floor(middle)] as number)) / 2;
  return { median, fastest: sorted[0] as number };
}
