import { describe, expect, it } from 'vitest';
import { stepsPerExecution } from '../../../coordinator/policies/steps-per-execution.js';

describe('the number of steps per execution', () => {
  it.each([
    ['is small before anything was measured', undefined, 100, 4],
    ['fills a fifth of a second', 2, 1000, 100],
    ['does not exceed the steps to the end of the epoch or the run', 2, 7, 7],
    ['is one step when a step takes longer', 500, 100, 1],
    ['is bounded by the table of steps', 0.01, 10_000, 512],
    ['is bounded when no time was measured', 0, 10_000, 512],
  ])('%s', (_what, msPerStep, stepsToBoundary, steps) => {
    expect(stepsPerExecution({ msPerStep, stepsToBoundary })).toBe(steps);
  });
});
