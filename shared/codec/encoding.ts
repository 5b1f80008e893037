import type { CommandBuffer } from '../kernels/command-buffer.js';
import { NORM_BLOCK_FLOATS } from '../kernels/memory-map.js';
import { bitsOf, type Compression, codeWords, hasBlocks, scaleWords } from './codec.js';

/** A tensor in a vector of floats, and its place among encoded tensors. */
export interface EncodedTensor {
  /** First float in the vector. */
  readonly offset: number;
  /** Floats. */
  readonly size: number;
  /** Byte offset of its scales in the encoded tensors; those of its codes follow. */
  readonly scales: number;
  readonly codes: number;
}

/** How the tensors of a vector are encoded, one after the other; what lies between them in the vector is left out. */
export interface Encoding {
  readonly codec: Compression;
  /** In the order of the vector. */
  readonly tensors: readonly EncodedTensor[];
}

/** Lays out the encoded tensors of a vector, in the order of the vector. */
export function encodingOf(
  codec: Compression,
  tensors: readonly { readonly offset: number; readonly size: number }[],
): Encoding {
  let end = 0;
  const placed = [...tensors]
    .sort((a, b) => a.offset - b.offset)
    .map(({ offset, size }) => {
      const scales = end;
      const codes = scales + 4 * scaleWords(codec, size);
      end = codes + 4 * codeWords(codec, size);
      return { offset, size, scales, codes };
    });
  return { codec, tensors: placed };
}

/** Random bits for unbiased rounding: a function of the step, the place in the vector and the key. */
export interface Dither {
  /** Byte offset of the step, an i32 that is read when the command buffer runs. */
  readonly step: number;
  readonly key0: number;
  readonly key1: number;
}

/** A conversion of the tensors, or of the part of them that lies in a span of the vector. */
export interface Conversion {
  readonly encoding: Encoding;
  /** Byte offset of the vector. */
  readonly vector: number;
  /** Byte offset of the encoded tensors. */
  readonly encoded: number;
  /** In floats. In each tensor it begins and ends at a multiple of NORM_BLOCK_FLOATS, or at the tensor's end. */
  readonly span: { readonly from: number; readonly to: number };
  /** The elements are not negative, and a positive one must not become 0. Default: false. bf16 keeps all but subnormals. */
  readonly isUnsigned?: boolean;
  /** Left out: rounding to nearest. bf16 always rounds to nearest. */
  readonly dither?: Dither | undefined;
}

type KernelSink = Pick<CommandBuffer, 'emit'>;

/** Emits: encoded = vector. */
export function emitEncode(to: KernelSink, conversion: Conversion): void {
  const { codec } = conversion.encoding;
  for (const { first, n, a, scales, codes } of partsOf(conversion)) {
    if (hasBlocks(codec))
      to.emit('encodeBlocks', {
        a,
        scales,
        codes,
        n,
        ...formatOf(conversion),
        ...ditherOf(conversion, first),
      });
    else to.emit('floatToBfloat16', { a, out: codes, n });
  }
}

/** Emits: vector = encoded. Floats between the tensors stay as they are. */
export function emitDecode(to: KernelSink, conversion: Conversion): void {
  const { codec } = conversion.encoding;
  for (const { n, a, scales, codes } of partsOf(conversion)) {
    if (hasBlocks(codec)) to.emit('decodeBlocks', { scales, codes, out: a, n, ...formatOf(conversion) });
    else to.emit('bfloat16ToFloat', { a: codes, out: a, n });
  }
}

/** Emits: vector = what encoding and decoding make of it, in place. */
export function emitQuantize(to: KernelSink, conversion: Omit<Conversion, 'encoded'>): void {
  const { codec } = conversion.encoding;
  for (const { first, n, a } of partsOf({ ...conversion, encoded: 0 })) {
    if (hasBlocks(codec))
      to.emit('quantizeBlocks', { a, n, ...formatOf(conversion), ...ditherOf(conversion, first) });
    else to.emit('roundToBfloat16', { a, out: a, n });
  }
}

/** The tensors in the span; offsets are bytes, `first` is an index in the vector. */
function partsOf({ encoding, vector, encoded, span }: Conversion) {
  const { codec, tensors } = encoding;
  return tensors.flatMap(({ offset, size, scales, codes }) => {
    const [from, to] = [Math.max(offset, span.from), Math.min(offset + size, span.to)];
    if (from >= to) return [];
    const passed = from - offset;
    if (passed % NORM_BLOCK_FLOATS !== 0) throw new Error(`a span begins at ${passed}, inside of a block`);
    return {
      first: from,
      n: to - from,
      a: vector + 4 * from,
      scales: encoded + scales + 4 * scaleWords(codec, passed),
      codes: encoded + codes + 4 * codeWords(codec, passed),
    };
  });
}

function formatOf({ encoding, isUnsigned = false }: Pick<Conversion, 'encoding' | 'isUnsigned'>) {
  return { bits: bitsOf(encoding.codec), isUnsigned: isUnsigned ? 1 : 0 };
}

function ditherOf({ dither }: Pick<Conversion, 'dither'>, first: number) {
  return { first, ...(dither ?? { step: 0, key0: 0, key1: 0 }) };
}
