import { describe, expect, it } from 'vitest';
import { metricMeans } from '../../../coordinator/compute/metric-means.js';

describe('means of the metrics', () => {
  it('are over all terms, and the mean of right answers is the accuracy', () => {
    const plan = { metrics: ['loss', 'correct'], terms: 3 } as const;
    expect(metricMeans(plan, [12, 3], 4)).toEqual({ loss: 1, accuracy: 0.25 });
  });

  it('are over the terms that count, where some are ignored', () => {
    const plan = { metrics: ['loss', 'correct', 'counted'], terms: 3 } as const;
    expect(metricMeans(plan, [12, 3, 6], 4)).toEqual({ loss: 2, accuracy: 0.5 });
    expect(metricMeans(plan, [0, 0, 0], 4)).toEqual({ loss: 0, accuracy: 0 });
  });
});
