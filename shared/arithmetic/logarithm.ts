/** ln 2 as a sum of two numbers (Cody, Waite): the first has few enough bits that its products with exponents are exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const SQRT_HALF = Math.SQRT1_2;
/** Terms of the series of atanh; the remainder is below 2^-54 for |f| <= 0.1716. */
const TERMS = 11;

const cast = new DataView(new ArrayBuffer(8));

/**
 * ln x for a positive, finite, normal x, within 2 units in the last place. It uses +, -, * and / only: engines differ in the
 * last bits of Math.log, and data sets must not.
 *
 *     ln x = k ln 2 + 2 atanh(f)      x = 2^k m, sqrt(1/2) <= m < sqrt(2), f = (m - 1) / (m + 1)
 */
export function naturalLogarithm(x: number): number {
  cast.setFloat64(0, x);
  const high = cast.getUint32(0);
  cast.setUint32(0, (high & 0x000fffff) | 0x3fe00000);
  let m = cast.getFloat64(0);
  let k = (high >>> 20) - 1022;
  if (m < SQRT_HALF) [m, k] = [2 * m, k - 1];
  const f = (m - 1) / (m + 1);
  const square = f * f;
  let sum = 0;
  for (let i = TERMS; i >= 1; i--) sum = square * (sum + 1 / (2 * i + 1));
  return k * LN2_HIGH + (k * LN2_LOW + 2 * (f + f * sum));
}
