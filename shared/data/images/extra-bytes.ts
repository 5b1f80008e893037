/*
 * Bytes between the compressed data of a scan of a JPEG and the next marker. libjpeg warns of them as it warns of damage, and skips
 * them. Decoding tells them apart: without the extra bytes, the pixels are the same and there is no warning.
 */
import type { ScanPlace } from './jpeg-segments.js';
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
 * Decodes a Huffman-coded JPEG and skips bytes between the compressed data of a scan and the next marker.
 * @param file ends with the end marker
 * @returns undefined when the image is damaged
 */
export function decodeDespiteExtraBytes(
  file: Uint8Array,
  layout: RawLayout,
  scans: readonly ScanPlace[],
): Uint8Array | undefined {
  const whole = decodeRaw(file, layout);
  if (whole === undefined || !whole.isWarned) return whole?.pixels;
  const search = new ExtraBytes(layout);
  // An image of the first scans alone is less sharp, and has no warning.
  let clean = new Uint8Array();
  let from = 0;
  for (const { begin, end } of scans) {
    const extended = Buffer.concat([clean, file.subarray(from, end)]);
    const extra = search.atEndOf(extended, Math.min(EXTRA_BYTES_MAX, end - begin));
    if (extra === undefined) return undefined;
    clean = extended.subarray(0, extended.length - extra);
    from = end;
  }
  const read = search.decode(clean);
  const isSame = read?.isWarned === false && Buffer.compare(read.pixels, whole.pixels) === 0;
  return isSame ? whole.pixels : undefined;
}

/** Looks for extra bytes. */
class ExtraBytes {
  private searched = 0;

  constructor(private readonly layout: RawLayout) {}

  /** Returns undefined when libjpeg cannot decode it, or when the search has taken too long. */
  decode(...parts: readonly Uint8Array[]): RawPixels | undefined {
    this.searched += this.layout.width * this.layout.height;
    return this.searched > SEARCHED_PIXELS_MAX
      ? undefined
      : decodeRaw(Buffer.concat([...parts, END]), this.layout);
  }

  /** The number of bytes behind the last pixel; undefined when the image is damaged. @param begin of a file, without its end marker */
  atEndOf(begin: Uint8Array, limit: number): number | undefined {
    const whole = this.decode(begin);
    if (whole === undefined || !whole.isWarned) return whole && 0;
    const without = (removed: number) => begin.subarray(0, begin.length - removed);
    const isExtra = (removed: number): boolean =>
      CONTINUATIONS.every((continuation) => {
        const read = this.decode(without(removed), continuation);
        return read !== undefined && Buffer.compare(read.pixels, whole.pixels) === 0;
      });
    const most = mostRemoved(limit, isExtra);
    for (let removed = most; removed > 0 && removed >= most - EXCESS_BYTES_MAX; removed--)
      if (this.decode(without(removed))?.isWarned === false) return removed;
    return undefined;
  }
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
