/** Iterations: each halves what is too large by much, and doubles the digits that are right near the end. */
const ITERATIONS = 1024;

/** Newton's square root of x > 0, of additions and divisions alone: the same bits on every engine. */
export function squareRoot(x: number): number {
  let y = x;
  for (let i = 0; i < ITERATIONS; i++) y = (y + x / y) / 2;
  return y;
}
