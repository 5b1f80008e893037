/** One call for a reference: the arguments, and the buffers before the call. */
export interface Call {
  readonly args: Readonly<Record<string, number>>;
  /** The buffer of an argument. */
  f32(argument: string): Float32Array;
  i32(argument: string): Int32Array;
  /** Bytes anywhere in the memory. */
  bytesAt(offset: number, bytes: number): DataView;
}

/** The expected output: values[i] within `ulps` units in the last place of a float of magnitude sizes[i]. */
export interface Expected {
  readonly values: readonly number[];
  readonly sizes: readonly number[];
  readonly ulps: number;
  readonly type?: 'i32';
}

/** Values whose error is relative to themselves. */
export function about(values: number[], { ulps }: { ulps: number }): Expected {
  return { values, sizes: values.map(Math.abs), ulps };
}

export function exactly(values: number[], type?: 'i32'): Expected {
  return { ...about(values, { ulps: 0 }), ...(type && { type }) };
}

/** A sum, and the sum of the terms' magnitudes: what rounding errors are relative to. */
export function sumOf(terms: readonly number[]): { sum: number; size: number } {
  return {
    sum: terms.reduce((sum, term) => sum + term, 0),
    size: terms.reduce((sum, term) => sum + Math.abs(term), 0),
  };
}

export function indices(n: number): number[] {
  return [...Array(n).keys()];
}

/** Values of this size or larger may have overflowed in float32 where double precision does not. */
const OVERFLOW = 2 ** 120;

/** Describes the first element of an output that is not as expected; undefined when there is none. */
export function deviation(expected: Expected, words: Uint32Array): string | undefined {
  const got = expected.type === 'i32' ? new Int32Array(words.buffer) : new Float32Array(words.buffer);
  if (got.length !== expected.values.length) return `${got.length} elements, not ${expected.values.length}`;
  for (let i = 0; i < got.length; i++) {
    const [value, size] = [expected.values[i]!, expected.sizes[i]!];
    if (Object.is(got[i], value) || got[i] === value) continue;
    if (size >= OVERFLOW && Number.isFinite(value)) continue;
    const tolerance = expected.ulps === 0 ? 0 : expected.ulps * 2 ** -23 * size + 4 * 2 ** -149;
    if (!(Math.abs(got[i]! - value) <= tolerance)) return `element ${i} is ${got[i]}, not ${value}`;
  }
  return undefined;
}
