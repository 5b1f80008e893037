/** Two independent references for a*b + c, rounded once to binary32. */

const words = new BigUint64Array(1);
const value = new Float64Array(words.buffer);

/**
 * With f64 and rounding to odd (Boldo and Melquiond 2008): fast enough to check whole products.
 * a, b, c are binary32 values.
 */
export function fma(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  const t = sum - product;
  const error = product - (sum - t) + (c - t);
  if (error === 0 || !Number.isFinite(sum)) return Math.fround(sum);
  value[0] = sum;
  if (error > 0 !== sum > 0) words[0]! -= 1n;
  words[0]! |= 1n;
  return Math.fround(value[0]!);
}

/** With integers of any size: slow and simple. Finite binary32 arguments. */
export function fmaByIntegers(a: number, b: number, c: number): number {
  // Every binary32 is an integer times 2^-149, so a*b + c is an integer times 2^-298.
  const scaled = (x: number) => BigInt(x * 2 ** 149);
  const sum = scaled(a) * scaled(b) + (scaled(c) << 149n);
  if (sum === 0n) return Math.fround(a * b + c);
  const size = sum < 0n ? -sum : sum;
  // Keep 24 bits, or fewer where the last bit would have a weight below 2^-149.
  const drop = BigInt(Math.max(size.toString(2).length - 24, 149));
  let kept = size >> drop;
  const rest = size - (kept << drop);
  const half = 1n << (drop - 1n);
  if (rest > half || (rest === half && (kept & 1n) === 1n)) kept += 1n;
  const exponent = Number(drop) - 298;
  // Exact in double precision: `kept` has at most 25 bits, and exponent >= -149.
  const magnitude = Number(kept) * 2 ** exponent;
  return Math.fround(sum < 0n ? -magnitude : magnitude);
}
