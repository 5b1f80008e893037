/** Coefficients of sin(t) / t in powers of t^2: Taylor's, (-1)^k / (2k + 1)!, whose rest is below 2^-53 for t <= pi/2. */
const TERMS = 13;
const HALF_PI = 1.5707963267948966;

/**
 * cos(pi x) for x in [0, 1], other x being taken for the nearer end; 1 at 0, 0 at 1/2, -1 at 1, within 4 units of the
 * last place of 1. Of +, * and / alone: engines differ in the last bits of Math.cos, and a learning rate must not.
 */
export function cosineOfPi(x: number): number {
  const clamped = Math.min(Math.max(x, 0), 1);
  // cos(pi x) = sin(pi/2 - pi x), where the argument lies within pi/2 of 0 and the series alternates and falls.
  const t = HALF_PI * (1 - 2 * clamped);
  const square = t * t;
  let sum = 0;
  for (let k = TERMS - 1; k >= 0; k--) sum = 1 - (sum * square) / ((2 * k + 2) * (2 * k + 3));
  const sine = t * sum;
  return Math.min(Math.max(sine, -1), 1);
}
