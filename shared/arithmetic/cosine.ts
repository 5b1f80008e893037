/** Terms of the Taylor series of sin(t) / t, (-1)^k t^(2k) / (2k + 1)!; the remainder is below 2^-53 for t <= pi/2. */
const TERMS = 13;
const HALF_PI = 1.5707963267948966;

/**
 * cos(pi x) for x clamped to [0, 1]; 1 at 0, 0 at 1/2, -1 at 1, within 4 units in the last place of 1. It uses +, * and /
 * only: engines differ in the last bits of Math.cos, and learning rates must not.
 */
export function cosineOfPi(x: number): number {
  const clamped = Math.min(Math.max(x, 0), 1);
  // cos(pi x) = sin(pi/2 - pi x), whose argument is within pi/2 of 0, where the terms alternate and decrease.
  const t = HALF_PI * (1 - 2 * clamped);
  const square = t * t;
  let sum = 0;
  for (let k = TERMS - 1; k >= 0; k--) sum = 1 - (sum * square) / ((2 * k + 2) * (2 * k + 3));
  const sine = t * sum;
  return Math.min(Math.max(sine, -1), 1);
}
