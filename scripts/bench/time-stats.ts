import { assert } from '../../shared/errors.js';

/** Statistics of several measurements of one thing. */
export interface TimeStats {
  readonly median: number;
  /** The smallest: closest to the time on an idle machine. */
  readonly fastest: number;
  readonly slowest: number;
}

/** Median (the mean of the middle two for an even number), smallest and largest of some times. */
export function timeStats(times: readonly number[]): TimeStats {
  assert(times.length > 0, 'statistics need at least one time');
  const sorted = [...times].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = ((sorted[Math.ceil(middle) - 1] as number) + (sorted[Math.floor(middle)] as number)) / 2;
  return { median, fastest: sorted[0] as number, slowest: sorted.at(-1) as number };
}
