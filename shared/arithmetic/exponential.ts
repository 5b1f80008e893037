/** ln 2 as a sum of two numbers: the first has few enough bits that its products with exponents are exact (Cody, Waite). */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
/** Terms of the series; the remainder is below 2^-60 for |r| <= ln 2 / 2. */
const TERMS = 16;
/** Beyond these the result is infinite, or 0. */
const MOST = 709;
const LEAST = -708;

const cast = new DataView(new ArrayBuffer(8));

/**
 * e^x within 2 units in the last place, with +, -, * and / only: engines differ in the last bits of Math.exp.
 *
 *     e^x = 2^k e^r      x = k ln 2 + r, |r| <= ln 2 / 2
 */
export function exponential(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x > MOST) return Number.POSITIVE_INFINITY;
  if (x < LEAST) return 0;
  const k = Math.round(x / LN2_HIGH);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  let sum = 1;
  for (let i = TERMS; i >= 1; i--) sum = 1 + (r / i) * sum;
  cast.setUint32(0, (k + 1023) << 20);
  cast.setUint32(4, 0);
  return sum * cast.getFloat64(0);
}
