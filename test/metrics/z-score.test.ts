import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { meanOf, zScore } from '../../shared/metrics/z-score.js';

it('the mean of no scores is 0', () => {
  expect(meanOf([1, 0])).toBe(0.5);
  expect(meanOf([3, 4, 8])).toBe(5);
  expect(meanOf([])).toBe(0);
});

describe('z-score', () => {
  it('is the mean difference over its standard error', () => {
    // Differences 1, 2, 3, 6: mean 3, sum of squares 14, variance 14 / 3.
    expect(zScore([2, 3, 5, 9], [1, 1, 2, 3])).toBeCloseTo(3 / Math.sqrt(14 / 3 / 4), 12);
  });

  it('is 0 if all differences are equal', () => {
    expect(zScore([2, 3], [1, 2])).toBe(0);
    expect(zScore([2], [1])).toBe(0);
    expect(zScore([], [])).toBe(0);
  });

  it('changes its sign when the methods are exchanged, and does not depend on what is added to both', () => {
    const pairsOfScores = fc.array(
      fc.tuple(fc.integer({ max: 99, min: 0 }), fc.integer({ max: 99, min: 0 })),
    );
    fc.assert(
      fc.property(pairsOfScores, fc.integer({ max: 99, min: 0 }), (pairs, more) => {
        const [scores, baseline] = [pairs.map(([score]) => score), pairs.map(([, score]) => score)];
        const z = zScore(scores, baseline);
        expect(zScore(baseline, scores)).toBeCloseTo(-z, 9);
        const raised = (values: number[]) => values.map((value) => value + more);
        expect(zScore(raised(scores), raised(baseline))).toBeCloseTo(z, 9);
      }),
    );
  });

  it('is 2 or more in about one of forty cases by chance', () => {
    // All 2 ** 16 combinations of signs of 16 differences of 1.
    let beyond = 0;
    for (let signs = 0; signs < 2 ** 16; signs++) {
      const scores = Array.from({ length: 16 }, (_, i) => ((signs >> i) & 1 ? 1 : -1));
      if (zScore(scores, new Array(16).fill(0)) >= 2) beyond++;
    }
    expect(beyond / 2 ** 16).toBeGreaterThan(0.01);
    expect(beyond / 2 ** 16).toBeLessThan(0.05);
  });
});
