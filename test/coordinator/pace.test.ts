import { describe, expect, it } from 'vitest';
import { strideSteps } from '../../coordinator/pace.js';

describe('the length of a stride', () => {
  it.each([
    ['is short before anything was measured', undefined, 100, 4],
    ['fills a fifth of a second', 2, 1000, 100],
    ['ends with the epoch or the run', 2, 7, 7],
    ['is one step when a step takes longer', 500, 100, 1],
    ['is bounded by the table of steps', 0.01, 10_000, 512],
    ['is bounded when the clock saw nothing pass', 0, 10_000, 512],
  ])('%s', (_what, msPerStep, stepsToBoundary, steps) => {
    expect(strideSteps({ msPerStep, stepsToBoundary })).toBe(steps);
  });
});
