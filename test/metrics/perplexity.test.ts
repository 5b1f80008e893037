import { expect, it } from 'vitest';
import { perplexity } from '../../shared/metrics/perplexity.js';

it('is the number of equally likely symbols', () => {
  expect(perplexity(0)).toBe(1);
  expect(perplexity(Math.log(65))).toBeCloseTo(65, 10);
  // Two certain and two uniform predictions among 4: the geometric mean of 1, 1, 4 and 4.
  expect(perplexity((2 * Math.log(4)) / 4)).toBeCloseTo(2, 12);
});
