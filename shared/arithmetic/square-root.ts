/** Enough iterations for every double: far from the root each halves the error, near it each doubles the correct digits. */
const ITERATIONS = 1024;

/** The square root of x > 0 by Newton's method, with additions and divisions only: the same bits on every engine. */
export function squareRoot(x: number): number {
  let y = x;
  for (let i = 0; i < ITERATIONS; i++) y = (y + x / y) / 2;
  return y;
}
