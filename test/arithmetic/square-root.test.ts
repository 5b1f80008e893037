import { expect, it } from 'vitest';
import { squareRoot } from '../../shared/arithmetic/square-root.js';

it.each([1e-300, 1e-30, 0.01, 0.3, 1, 2, 784 / 256, 1e30])(
  'is the square root of %d up to the last bits',
  (x) => {
    expect(squareRoot(x) / Math.sqrt(x)).toBeCloseTo(1, 15);
  },
);
