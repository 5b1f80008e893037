/* Numbers in place of vectors, as they travel: the two halves of a number's bits are its segments. */
import { cutVector } from '../shared/reduction/segments.js';

const HALF_BYTES = 4;

/** How a number is cut. */
export const NUMBER_CUT = cutVector(2 * HALF_BYTES, [], HALF_BYTES);

/** A number as bytes: an unsigned integer of 32 bits, or one that is not finite. */
export function bytesOf(value: number): Uint8Array {
  const halves = Number.isFinite(value) ? [value >>> 16, value & 0xffff] : [value, value];
  return new Uint8Array(Float32Array.from(halves).buffer);
}

/** The number that bytes stand for. */
export function numberOf(bytes: Uint8Array): number {
  const [high, low] = halvesOf(bytes);
  return Number.isFinite(high + low) ? ((high << 16) | low) >>> 0 : high + low;
}

/** The two halves that bytes stand for. */
export function halvesOf(bytes: Uint8Array): readonly [number, number] {
  const [high, low] = new Float32Array(bytes.slice().buffer);
  return [high as number, low as number];
}

/** A half as bytes. */
export function halfBytes(half: number): Uint8Array {
  return new Uint8Array(Float32Array.of(half).buffer);
}
