import { describe, expect, it } from 'vitest';
import {
  GROWTH,
  RangeTest,
  rangeSteps,
  suggestRate,
} from '../../../../scripts/reports/lr-find/range-test.js';
import { UserError } from '../../../../shared/errors.js';

/** Runs a test on a loss that depends on the rate, until the loss has exploded. */
function test(
  from: number,
  to: number,
  lossAt: (rate: number) => number,
): { range: RangeTest; ended: boolean } {
  const range = new RangeTest(from);
  let rate = from;
  for (let step = 0; step < rangeSteps(from, to); step++) {
    if (range.add(lossAt(rate))) return { range, ended: true };
    rate *= GROWTH;
  }
  return { range, ended: false };
}

describe('a range test', () => {
  it('reaches the highest rate', () => {
    expect(rangeSteps(1, 1)).toBe(1);
    const { range, ended } = test(1e-4, 1, () => 2);
    expect(ended).toBe(false);
    expect(range.points.at(-1)?.rate).toBeGreaterThanOrEqual(1);
    expect(range.points.at(-2)?.rate).toBeLessThan(1);
  });

  it('smooths without a bias towards 0', () => {
    const { range } = test(1e-4, 1, () => 2);
    for (const { smoothed } of range.points) expect(smoothed).toBeCloseTo(2, 12);
  });

  it('suggests the rate of the steepest fall, and ends when the loss explodes', () => {
    // Flat, a fall around 0.01, flat, then rising without bound.
    const loss = (rate: number) => 3 - 2 / (1 + (0.01 / rate) ** 4) + (rate > 0.5 ? (rate * 10) ** 2 : 0);
    const { range, ended } = test(1e-5, 100, loss);
    expect(ended).toBe(true);
    expect(range.points.at(-1)?.rate).toBeLessThan(1);
    const rate = suggestRate(range.points);
    expect(rate).toBeGreaterThan(0.005);
    expect(rate).toBeLessThan(0.03);
  });

  it('ends at a loss of NaN, which does not become a point', () => {
    const { range, ended } = test(1e-3, 1, (rate) => (rate > 0.01 ? Number.NaN : 1));
    expect(ended).toBe(true);
    expect(range.points.every(({ smoothed }) => Number.isFinite(smoothed))).toBe(true);
  });

  it('throws when the loss never falls', () => {
    const { range } = test(1e-4, 1, (rate) => 1 + rate);
    expect(() => suggestRate(range.points)).toThrow(UserError);
  });
});
