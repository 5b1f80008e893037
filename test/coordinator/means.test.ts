import { describe, expect, it } from 'vitest';
import { meansOf } from '../../coordinator/means.js';

describe('means of the metrics', () => {
  it('are of all terms, and right answers become the accuracy', () => {
    const plan = { metrics: ['loss', 'correct'], terms: 3 } as const;
    expect(meansOf(plan, [12, 3], 4)).toEqual({ loss: 1, accuracy: 0.25 });
  });

  it('are of the terms that count, where some are ignored', () => {
    const plan = { metrics: ['loss', 'correct', 'counted'], terms: 3 } as const;
    expect(meansOf(plan, [12, 3, 6], 4)).toEqual({ loss: 2, accuracy: 0.5 });
    expect(meansOf(plan, [0, 0, 0], 4)).toEqual({ loss: 0, accuracy: 0 });
  });
});
