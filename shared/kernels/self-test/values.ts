/** Kinds of floats to test a kernel with. 'wild' are arbitrary bit patterns, infinities and NaN included. */
export const VALUE_KINDS = ['ordinary', 'subnormal', 'tiny', 'huge', 'wild'] as const;
export type ValueKind = (typeof VALUE_KINDS)[number];

/**
 * A word that depends only on the number of a stream and an index, so it is the same on every machine. The finalizer of
 * MurmurHash3 (Appleby), which has no state.
 */
export function randomWord(stream: number, index: number): number {
  let h = Math.imul(stream + 1, 0x9e3779b1) + Math.imul(index, 0x85ebca77);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The bits of a float of this kind, of both signs. */
export function floatBits(kind: ValueKind, word: number): number {
  const sign = word & 0x80000000;
  const fraction = word & 0x7fffff;
  const spread = (word >>> 23) & 0xff;
  switch (kind) {
    case 'ordinary':
      // Magnitudes from 2^-7 to 4, with some zeros.
      return (spread === 0 ? sign : sign | ((120 + (spread & 7) + (spread >>> 7)) << 23) | fraction) >>> 0;
    case 'subnormal':
      return (sign | fraction) >>> 0;
    case 'tiny':
      return (sign | ((1 + (spread & 31)) << 23) | fraction) >>> 0;
    case 'huge':
      return (sign | ((223 + (spread & 31)) << 23) | fraction) >>> 0;
    case 'wild':
      return word;
  }
}
