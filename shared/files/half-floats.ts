/*
 * The 16-bit floats of files: bfloat16, the upper half of a float32, and float16, the binary16 of IEEE 754 (1 bit of sign,
 * 5 of exponent, 10 of fraction). Rounding is to nearest, ties to even. There is one NaN, which is quiet and positive.
 */
const BFLOAT16_NAN = 0x7fc0;
const FLOAT16_NAN = 0x7e00;
const FLOAT16_INFINITY = 0x7c00;
/** From this number on, float16 rounds to infinity: half way between its largest number and the next. */
const FLOAT16_LIMIT = 65520;
/** Distance of float16 numbers below 2^-14: 2^-24. */
const FLOAT16_STEP = 1 / 16777216;

const cell = new Float32Array(1);
const bits = new Uint32Array(cell.buffer);

/** The bfloat16 nearest to a float32. */
export function toBfloat16(value: number): number {
  if (Number.isNaN(value)) return BFLOAT16_NAN;
  cell[0] = value;
  return roundHalfToEven((bits[0] as number) / 65536);
}

/** The number of a bfloat16. */
export function fromBfloat16(code: number): number {
  bits[0] = code << 16;
  return cell[0] as number;
}

/** The float16 nearest to a float32. */
export function toFloat16(value: number): number {
  if (Number.isNaN(value)) return FLOAT16_NAN;
  cell[0] = value;
  const sign = ((bits[0] as number) >>> 16) & 0x8000;
  const size = Math.abs(value);
  if (size >= FLOAT16_LIMIT) return sign | FLOAT16_INFINITY;
  // The exponent relative to that of the smallest normal number, 2^-14. Subnormal numbers have the same one, 0.
  const exponent = Math.max(0, (((bits[0] as number) >>> 23) & 0xff) - 113);
  let step = FLOAT16_STEP;
  for (let i = 0; i < exponent; i++) step *= 2;
  // `size / step` is at most 2048, which is 1024 with the next exponent: the sum carries into the exponent.
  return sign | (exponent * 1024 + roundHalfToEven(size / step));
}

/** The number of a float16. */
export function fromFloat16(code: number): number {
  const sign = (code & 0x8000) === 0 ? 1 : -1;
  const exponent = (code >>> 10) & 0x1f;
  const fraction = code & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * FLOAT16_STEP;
  bits[0] = ((exponent + 112) << 23) | (fraction << 13);
  return sign * (cell[0] as number);
}

function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  return rest > 0.5 || (rest === 0.5 && below % 2 === 1) ? below + 1 : below;
}
