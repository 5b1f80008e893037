/* Block quantisation as its definition says, one number at a time, in double precision where a step is exact. */
import { philox, type Words } from '../../shared/data/philox.js';
import { fromBfloat16 } from '../../shared/files/half-floats.js';
import { type Call, type Expected, exactly, indices } from './expected.js';

/** The settings of a call. */
export interface Quantization {
  readonly bits: number;
  readonly isUnsigned: boolean;
  /** What is added to the element of this index, in quanta; left out: nothing. */
  readonly dither?: ((index: number) => number) | undefined;
}

/** A quantised vector: a bfloat16 for each block, an integer for each element. */
export interface Quantized {
  readonly scales: readonly number[];
  readonly codes: readonly number[];
}

const blockOf = (bits: number): number => (bits === 8 ? 256 : 64);
const limitOf = (bits: number, isUnsigned: boolean): number => 2 ** (isUnsigned ? bits : bits - 1) - 1;

/** The smallest bfloat16 that is not below a positive float32, by its code. */
function bfloat16Above(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0]!;
  return Math.ceil(bits / 65536);
}

function scaleOf(values: readonly number[], limit: number, isUnsigned: boolean): number {
  const isValid = (x: number): boolean => Number.isFinite(x) && !(isUnsigned && x < 0);
  if (!values.every(isValid)) return 0x7fc0;
  const largest = values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const code = bfloat16Above(Math.fround(largest / limit));
  if (fromBfloat16(code) < 2 ** -110) return 0x0880;
  return Math.fround(limit * fromBfloat16(code)) === Number.POSITIVE_INFINITY ? code - 1 : code;
}

/** Rounds to the nearest integer, ties to even. */
function nearest(value: number): number {
  const below = Math.floor(value);
  if (value - below === 0.5) return below % 2 === 0 ? below : below + 1;
  return Math.round(value);
}

/** Quantises a vector. */
export function quantize(vector: ArrayLike<number>, { bits, isUnsigned, dither }: Quantization): Quantized {
  const limit = limitOf(bits, isUnsigned);
  const block = blockOf(bits);
  const scales = indices(Math.ceil(vector.length / block)).map((b) =>
    scaleOf(Array.from(vector).slice(b * block, (b + 1) * block), limit, isUnsigned),
  );
  const codes = Array.from(vector, (x, i) => {
    const scale = fromBfloat16(scales[Math.floor(i / block)]!);
    if (Number.isNaN(scale)) return 0;
    const quanta = Math.fround(x * Math.fround(1 / scale));
    const shifted = dither === undefined ? quanta : Math.fround(quanta + dither(i));
    const code = nearest(Math.min(limit, Math.max(isUnsigned ? 0 : -limit, shifted)));
    // An integer has one zero.
    return isUnsigned && x > 0 ? Math.max(1, code) : code + 0;
  });
  return { scales, codes };
}

/** The values of a quantised vector. */
export function dequantize({ scales, codes }: Quantized, bits: number): number[] {
  const block = blockOf(bits);
  return codes.map((code, i) => Math.fround(code * fromBfloat16(scales[Math.floor(i / block)]!)));
}

/** Integers of so many bits, the first in the lowest bits of a word. */
function packed(values: readonly number[], bits: number): Expected {
  const inWord = 32 / bits;
  const words = indices(Math.ceil(values.length / inWord)).map((w) =>
    values
      .slice(w * inWord, (w + 1) * inWord)
      .reduce((word, value, i) => word | ((value & (2 ** bits - 1)) << (bits * i)), 0),
  );
  return exactly(words, 'i32');
}

function unpacked(words: Int32Array, bits: number, count: number): number[] {
  const inWord = 32 / bits;
  return indices(count).map(
    (i) => (words[Math.floor(i / inWord)]! >>> (bits * (i % inWord))) & (2 ** bits - 1),
  );
}

/** A random number from [-1/2, 1/2) for the element of an index: 24 bits of the words of its counter. */
export function ditherOf(step: number, key0: number, key1: number): (index: number) => number {
  return (index) => {
    const words: Words = [Math.floor(index / 4), step, 0, 0];
    philox(words, key0, key1);
    return Math.floor(words[index % 4]! / 256) / 2 ** 24 - 0.5;
  };
}

function quantized({ args, f32, i32 }: Call): Quantized {
  const { bits, isUnsigned, step, first, key0, key1 } = args as Record<string, number>;
  const draw = step === 0 ? undefined : ditherOf(i32('step')[0]!, key0!, key1!);
  return quantize(f32('a'), {
    bits: bits!,
    isUnsigned: isUnsigned === 1,
    dither: draw && ((i) => draw(first! + i)),
  });
}

export const REFERENCE_BLOCK_QUANTIZATION = {
  encodeBlocks: (call: Call) => {
    const { scales, codes } = quantized(call);
    return { scales: packed(scales, 16), codes: packed(codes, call.args.bits!) };
  },
  quantizeBlocks: (call: Call) => ({ a: exactly(dequantize(quantized(call), call.args.bits!)) }),
  decodeBlocks: ({ args, i32 }: Call) => {
    const { n, bits, isUnsigned } = args as { n: number; bits: number; isUnsigned: number };
    const scales = unpacked(i32('scales'), 16, Math.ceil(n / blockOf(bits)));
    const signed = (code: number): number => (code >= 2 ** (bits - 1) ? code - 2 ** bits : code);
    const codes = unpacked(i32('codes'), bits, n);
    return {
      out: exactly(dequantize({ scales, codes: isUnsigned === 1 ? codes : codes.map(signed) }, bits)),
    };
  },
} as const satisfies Record<string, (call: Call) => Record<string, Expected>>;
