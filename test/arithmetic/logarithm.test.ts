import { expect, it } from 'vitest';
import { naturalLogarithm } from '../../shared/arithmetic/logarithm.js';

/** Distance of neighbouring doubles at x. */
const unit = (x: number): number => 2 ** (Math.floor(Math.log2(Math.abs(x))) - 52);

it('is within two units in the last place for all normal numbers', () => {
  for (let i = -1022; i < 1024; i++) {
    for (const m of [1, 1.0000001, 1.2, 1.4142135623730949, Math.SQRT2, 1.7, 1.9999999]) {
      const x = m * 2 ** i;
      const exact = Math.log(x);
      expect(Math.abs(naturalLogarithm(x) - exact), String(x)).toBeLessThanOrEqual(2 * unit(exact) + 1e-320);
    }
  }
  expect(naturalLogarithm(1)).toBe(0);
});

it('is as precise near 1 as elsewhere', () => {
  for (const d of [1e-15, -1e-12, 1e-9, -1e-6, 1e-3]) {
    expect(Math.abs(naturalLogarithm(1 + d) / Math.log(1 + d) - 1)).toBeLessThan(1e-15);
  }
});
