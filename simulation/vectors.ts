/* Numbers in place of vectors, as they travel: the two halves of a number's bytes are its segments. */
import { cutVector } from '../shared/reduction/segments.js';

const NUMBER_BYTES = 8;

/** How a number is cut. */
export const NUMBER_CUT = cutVector(NUMBER_BYTES, [], NUMBER_BYTES / 2);

/** A number as bytes. */
export function bytesOf(value: number): Uint8Array {
  return new Uint8Array(Float64Array.of(value).buffer);
}

/** The number that bytes stand for. */
export function numberOf(bytes: Uint8Array): number {
  return new Float64Array(bytes.slice().buffer)[0] as number;
}
