/* Norms and sums of vectors in plain TypeScript and double precision. */
import { about, type Call, type Expected, sumOf } from './expected.js';

const BLOCK = 1024;

const blocksOf = (a: Float32Array): Float32Array[] =>
  Array.from({ length: Math.ceil(a.length / BLOCK) }, (_, b) => a.subarray(b * BLOCK, (b + 1) * BLOCK));

export const REFERENCE_VECTORS = {
  sumSquares: ({ f32 }: Call) => {
    const sums = blocksOf(f32('a')).map((block) => ({
      isLarge: block.some((x) => !(Math.abs(x) < 2 ** 48)),
      of: (scale: number) => sumOf(Array.from(block, (x) => (x * scale) ** 2)).sum,
    }));
    return {
      out: about(
        sums.map(({ isLarge, of }) => (isLarge ? 0 : of(1))),
        { ulps: 16 },
      ),
      large: about(
        sums.map(({ isLarge, of }) => (isLarge ? of(2 ** -80) : 0)),
        { ulps: 16 },
      ),
    };
  },
  treeTotal: ({ f32 }: Call) => {
    const { sum, size } = sumOf([...f32('a')]);
    return { out: { values: [sum], sizes: [size], ulps: 12 } };
  },
} as const satisfies Record<string, (call: Call) => Record<string, Expected>>;
