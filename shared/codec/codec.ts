/** The codecs that are not float32. */
export const COMPRESSIONS = ['bf16', 'int8', 'int4'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

/**
 * How vectors are written for a wire. 'none': float32. 'bf16': the upper half of a float32. 'int8' and 'int4': integers in
 * blocks with a scale of their own; see kernels/c/block-quantization.c.
 */
export const CODECS = ['none', ...COMPRESSIONS] as const;
export type Codec = (typeof CODECS)[number];

/** Elements that share a scale. */
const BLOCK = { int8: 256, int4: 64 } as const;
const BITS = { none: 32, bf16: 16, int8: 8, int4: 4 } as const;

/** A codec that has blocks. */
export type BlockCodec = keyof typeof BLOCK;

/** Whether a codec has blocks with scales. */
export function hasBlocks(codec: Codec): codec is BlockCodec {
  return codec === 'int8' || codec === 'int4';
}

/** Bits of an element, without its part of a scale. */
export function bitsOf(codec: Codec): number {
  return BITS[codec];
}

/** Words of 32 bits that the scales of a tensor take; a tensor begins with them. Two scales are in a word. */
export function scaleWords(codec: Codec, elements: number): number {
  return hasBlocks(codec) ? Math.ceil(Math.ceil(elements / BLOCK[codec]) / 2) : 0;
}

/** Words of 32 bits that the codes of a tensor take. */
export function codeWords(codec: Codec, elements: number): number {
  return Math.ceil((elements * BITS[codec]) / 32);
}

/**
 * Bytes of encoded tensors. For each tensor of n elements:
 *
 *     none   4n        bf16   2n        int8   2 ceil(n / 256) + n        int4   2 ceil(n / 64) + n / 2
 *
 * where scales and codes are each rounded up to words of four bytes. For large tensors that is 4, 2, 1.008 and 0.531 bytes
 * an element.
 */
export function encodedBytes(codec: Codec, tensors: readonly { readonly size: number }[]): number {
  return tensors.reduce((sum, { size }) => sum + 4 * (scaleWords(codec, size) + codeWords(codec, size)), 0);
}
