/*
 * Statistics of vectors for display, computed in float64. They do not affect the weights.
 */

/** Euclidean norm. */
export function norm(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}

/** sqrt(mean(x^2)); 0 for an empty vector. */
export function rootMeanSquare(values: Float32Array): number {
  return values.length === 0 ? 0 : norm(values) / Math.sqrt(values.length);
}

/** Euclidean norm of the difference of two vectors of the same length. */
export function distance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] as number) - (b[i] as number)) ** 2;
  return Math.sqrt(sum);
}

/**
 * The share of the units that have the same value in all rows.
 * @param values [any, units]
 */
export function constantUnits(values: Float32Array, units: number): number {
  let constant = 0;
  for (let unit = 0; unit < units; unit++) {
    let at = unit + units;
    while (at < values.length && values[at] === values[unit]) at += units;
    if (at >= values.length) constant += 1;
  }
  return constant / units;
}
