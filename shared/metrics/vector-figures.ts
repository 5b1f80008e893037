/*
 * Figures of vectors, for people to look at: sums in float64, in plain order. Nothing here reaches a weight.
 */

/** Euclidean norm. */
export function norm(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}

/** sqrt(mean(x^2)); 0 of nothing. */
export function rootMeanSquare(values: Float32Array): number {
  return values.length === 0 ? 0 : norm(values) / Math.sqrt(values.length);
}

/** Euclidean norm of the difference of two vectors of one length. */
export function distance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] as number) - (b[i] as number)) ** 2;
  return Math.sqrt(sum);
}

/**
 * The part of the units that have one value throughout.
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
