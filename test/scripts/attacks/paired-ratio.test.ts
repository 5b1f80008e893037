import { describe, expect, it } from 'vitest';
import { pairedRatio } from '../../../scripts/dev/attacks/paired-ratio.js';
import { SeededRandom } from '../../../shared/actor/seeded-random.js';

/** Windows without attack that are all alike, and those under attack. */
const paired = (attacked: readonly number[]) =>
  pairedRatio(Array<number>(attacked.length + 1).fill(1), attacked);

describe('the ratio of pairs', () => {
  it('compares with the windows before and after', () => {
    expect(pairedRatio([1, 3, 5], [4, 4]).ratios).toEqual([2, 1]);
  });

  it('has the ranks of the binomial distribution as its interval', () => {
    // Tables of the sign test: 7 and 18 of 24, 2 and 9 of 10; fewer than six values say nothing with 95%.
    for (const [count, from, to] of [
      [24, 7, 18],
      [10, 2, 9],
      [6, 1, 6],
      [3, 1, 3],
    ] as const) {
      const { interval } = paired(Array.from({ length: count }, (_, i) => i + 1));
      expect(interval).toEqual([from, to]);
    }
  });

  it('holds the true median in at least 95% of measurements', () => {
    const random = new SeededRandom(1);
    let held = 0;
    for (let i = 0; i < 1000; i++) {
      // A distribution with a long tail, whose median is 1.
      const [from, to] = paired(Array.from({ length: 24 }, () => 1 / (random.below(1000) / 500))).interval;
      if (from <= 1 && to >= 1) held += 1;
    }
    expect(held).toBeGreaterThan(950);
  });
});
