/*
 * Bytes between the last pixel and the end marker of a JPEG. libjpeg warns of them as it warns of damage, and skips them. Decoding
 * tells them apart: without the extra bytes, the pixels are the same and there is no warning.
 */
import { decodeRaw, type RawLayout, type RawPixels } from './libjpeg.js';

/** Most extra bytes that are looked for. */
const EXTRA_BYTES_MAX = 2 ** 16;
/** Bytes that the search may remove too many: their last bits need not change a pixel. */
const EXCESS_BYTES_MAX = 8;
/** Most pixels that are decoded in the search: some seconds. */
const SEARCHED_PIXELS_MAX = 2 ** 30;
const END = Uint8Array.of(0xff, 0xd9);
/** Two continuations that begin with different bits. Pixels that depend on the bytes after a place differ between them. */
const CONTINUATIONS = [0x00, 0xfe].map((byte) => new Uint8Array(8).fill(byte));

/**
 * Decodes a Huffman-coded JPEG and skips bytes before its end marker.
 * @param file ends with the end marker
 * @returns undefined when the image is damaged
 */
export function decodeDespiteExtraBytes(file: Uint8Array, layout: RawLayout): Uint8Array | undefined {
  const whole = decodeRaw(file, layout);
  if (whole === undefined || !whole.isWarned) return whole?.pixels;
  let searched = 0;
  const shortened = (removed: number, continuation = new Uint8Array()): RawPixels | undefined => {
    searched += layout.width * layout.height;
    if (searched > SEARCHED_PIXELS_MAX) return undefined;
    return decodeRaw(Buffer.concat([file.subarray(0, -END.length - removed), continuation, END]), layout);
  };
  const isExtra = (removed: number): boolean =>
    CONTINUATIONS.every((continuation) => {
      const read = shortened(removed, continuation);
      return read !== undefined && Buffer.compare(read.pixels, whole.pixels) === 0;
    });
  const most = mostRemoved(Math.min(EXTRA_BYTES_MAX, file.length - END.length), isExtra);
  for (let removed = most; removed > 0 && removed >= most - EXCESS_BYTES_MAX; removed--)
    if (shortened(removed)?.isWarned === false) return whole.pixels;
  return undefined;
}

/** The largest number up to `limit` that may be removed: doubles the number, and then halves the interval. */
function mostRemoved(limit: number, mayBe: (removed: number) => boolean): number {
  let [good, bad] = [0, 1];
  while (bad <= limit && mayBe(bad)) [good, bad] = [bad, 2 * bad];
  bad = Math.min(bad, limit + 1);
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (mayBe(middle)) good = middle;
    else bad = middle;
  }
  return good;
}
