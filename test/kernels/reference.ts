/*
 * A reference implementation of every kernel in plain TypeScript and double precision, without lanes and trees. It shares
 * with the kernels only their names and arguments (and the generator of random words, which has its own test).
 */
import { EXACT } from '../../scripts/dev/kernels/math-errors.js';
import { philox, type Words } from '../../shared/data/philox.js';
import type { KernelName } from '../../shared/kernels/command-buffer.js';
import { about, type Call, type Expected, exactly, indices, sumOf } from './expected.js';
import { REFERENCE_ATTENTION } from './reference-attention.js';
import { REFERENCE_AXES } from './reference-axes.js';
import { REFERENCE_BATCH_NORMALIZATION } from './reference-batch-normalization.js';
import { REFERENCE_BLOCK_QUANTIZATION } from './reference-block-quantization.js';
import { ctcReference } from './reference-ctc.js';
import { REFERENCE_ELEMENT_LOSSES } from './reference-element-losses.js';
import { REFERENCE_HALF_PRECISION } from './reference-half-precision.js';
import { REFERENCE_IMAGES } from './reference-images.js';
import { REFERENCE_LOSSES } from './reference-losses.js';
import { REFERENCE_MUON } from './reference-muon.js';
import { REFERENCE_OPTIMIZERS } from './reference-optimizers.js';
import { REFERENCE_RANDOM_STREAM } from './reference-random-stream.js';
import { RECURRENT_REFERENCE } from './reference-recurrent.js';
import { REFERENCE_TRANSFORMER } from './reference-transformer.js';
import { REFERENCE_VECTORS } from './reference-vectors.js';

type Reference = (call: Call) => Record<string, Expected>;

/** y from x, within `ulps`. */
const forward =
  (f: (x: number) => number, ulps = 2): Reference =>
  ({ f32 }) => ({ y: about(Array.from(f32('x'), f), { ulps }) });
const map =
  (f: (x: number) => number, ulps = 2): Reference =>
  ({ f32 }) => ({ out: about(Array.from(f32('a'), f), { ulps }) });
const pair =
  (f: (a: number, b: number) => number): Reference =>
  ({ f32 }) => ({
    out: about(
      Array.from(f32('a'), (a, i) => f(a, f32('b')[i]!)),
      { ulps: 1 },
    ),
  });
/** dx from y and dy. */
const backward =
  (f: (y: number) => number): Reference =>
  ({ f32 }) => ({
    dx: about(
      Array.from(f32('y'), (y, i) => f(y) * f32('dy')[i]!),
      { ulps: 3 },
    ),
  });

/** out[r, c] = sum over k of a(r, k) * b(k, c), by index. */
function product(
  [rows, inner, cols]: readonly [number, number, number],
  a: (r: number, k: number) => number,
  b: (k: number, c: number) => number,
  bias: (c: number) => number = () => 0,
) {
  const sums = indices(rows * cols).map((at) => {
    const [r, c] = [Math.floor(at / cols), at % cols];
    return sumOf([...indices(inner).map((k) => a(r, k) * b(k, c)), bias(c)]);
  });
  return { values: sums.map(({ sum }) => sum), sizes: sums.map(({ size }) => size), ulps: inner + 2 };
}

function randomWords({ n, key0, key1 }: { n: number; key0: number; key1: number }): number[] {
  return indices(Math.ceil(n / 4)).flatMap((block) => {
    const words: Words = [block, 0, 0, 0];
    philox(words, key0, key1);
    return words;
  });
}

/** The field of each row, read from the chunks byte by byte. */
function gathered({ args, bytesAt }: Call, bytesEach: number): DataView[] {
  const { chunkTable, cursor, first, rows, elements, chunkSamples, recordBytes, fieldOffset } =
    args as Record<string, number>;
  const position = bytesAt(cursor!, 8);
  const order = bytesAt(position.getUint32(0, true), 4 * (position.getUint32(4, true) + first! + rows!));
  return indices(rows!).map((r) => {
    const sample = order.getUint32(4 * (position.getUint32(4, true) + first! + r), true);
    const chunk = bytesAt(chunkTable! + 4 * Math.floor(sample / chunkSamples!), 4).getUint32(0, true);
    return bytesAt(chunk + (sample % chunkSamples!) * recordBytes! + fieldOffset!, elements! * bytesEach);
  });
}

export const REFERENCE: { readonly [K in KernelName]: Reference } = {
  addVectors: pair((a, b) => a + b),
  subtractVectors: pair((a, b) => a - b),
  multiplyVectors: pair((a, b) => a * b),
  copyVector: ({ f32 }) => ({ out: exactly(Array.from(f32('a'))) }),
  fill: ({ args }) => ({ out: exactly(Array(args.n).fill(Math.fround(args.value!))) }),
  ...REFERENCE_VECTORS,

  exponential: map(EXACT.exponential),
  logarithm: map(EXACT.logarithm),
  errorFunction: map(EXACT.errorFunction),
  sine: map(EXACT.sine),
  cosine: map(EXACT.cosine),
  squareRoot: map(Math.sqrt, 0.5),
  reciprocalSquareRoot: map(EXACT.reciprocalSquareRoot),

  reluForward: forward((x) => Math.max(x, 0), 0),
  reluBackward: backward((y) => (y > 0 ? 1 : 0)),
  sigmoidForward: forward(EXACT.sigmoidForward),
  sigmoidBackward: backward((y) => y * (1 - y)),
  tanhForward: forward(Math.tanh),
  tanhBackward: backward((y) => 1 - y * y),

  matmul: ({ args, f32 }) => {
    const { rows, inner, cols, activation } = args as Record<string, number>;
    const [a, b] = [f32('a'), f32('b')];
    const bias = args.bias === 0 ? new Float32Array(cols!) : f32('bias');
    const { values, ...rest } = product(
      [rows!, inner!, cols!],
      (r, k) => a[r * inner! + k]!,
      (k, c) => b[k * cols! + c]!,
      (c) => bias[c]!,
    );
    return { out: { values: values.map((y) => (activation === 1 ? Math.max(0, y) : y)), ...rest } };
  },
  matmulTransposedB: ({ args, f32 }) => {
    const { rows, inner, cols } = args as Record<string, number>;
    const [a, b] = [f32('a'), f32('b')];
    return {
      out: product(
        [rows!, inner!, cols!],
        (r, k) => a[r * inner! + k]!,
        (k, c) => b[c * inner! + k]!,
      ),
    };
  },
  treeMatmulTransposedA: ({ args, f32 }) => {
    const { rows, m, n } = args as Record<string, number>;
    const [a, b] = [f32('a'), f32('b')];
    return {
      out: product(
        [m!, rows!, n!],
        (i, r) => a[r * m! + i]!,
        (r, j) => b[r * n! + j]!,
      ),
    };
  },
  treeSumRows: ({ args, f32 }) => {
    const { rows, n } = args as Record<string, number>;
    const a = f32('a');
    return {
      out: product(
        [1, rows!, n!],
        () => 1,
        (r, j) => a[r * n! + j]!,
      ),
    };
  },

  ...REFERENCE_LOSSES,
  ...REFERENCE_IMAGES,
  ...REFERENCE_TRANSFORMER,
  ...REFERENCE_ATTENTION,
  ...RECURRENT_REFERENCE,
  ...REFERENCE_RANDOM_STREAM,
  ctcForward: ctcReference,
  scaleVector: ({ args, f32 }) => ({
    out: about(
      Array.from(f32('a'), (a) => a * Math.fround(args.factor!)),
      { ulps: 1 },
    ),
  }),
  affineVector: ({ args, f32 }) => {
    const [factor, summand] = [Math.fround(args.factor!), Math.fround(args.summand!)];
    return {
      out: about(
        Array.from(f32('a'), (a) => a * factor + summand),
        { ulps: 1 },
      ),
    };
  },
  ...REFERENCE_ELEMENT_LOSSES,
  ...REFERENCE_AXES,
  ...REFERENCE_HALF_PRECISION,
  ...REFERENCE_BLOCK_QUANTIZATION,
  ...REFERENCE_BATCH_NORMALIZATION,

  ...REFERENCE_OPTIMIZERS,
  ...REFERENCE_MUON,

  randomUniform: ({ args }) => {
    const { low, high, n } = args as Record<string, number>;
    const draws = randomWords(args as never).slice(0, n);
    const values = draws.map((word) => low! + ((word >>> 8) / 2 ** 24) * (high! - low!));
    return { out: { values, sizes: values.map(() => 1), ulps: 1 } };
  },
  randomNormal: ({ args }) => {
    const { mean, deviation, n } = args as Record<string, number>;
    const words = randomWords(args as never);
    const values = indices(n!).map((i) => {
      const radius = Math.sqrt(-2 * Math.log(((words[i & ~1]! >>> 8) + 1) / 2 ** 24));
      const angle = (2 * Math.PI * (words[i | 1]! >>> 8)) / 2 ** 24;
      return mean! + deviation! * radius * (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle));
    });
    return { out: { values, sizes: values.map(() => 20), ulps: 2 } };
  },

  gatherU8: (call) => {
    const { elements, scale, shift } = call.args as Record<string, number>;
    const values = gathered(call, 1).flatMap((row) => {
      return indices(elements!).map((e) => row.getUint8(e) * Math.fround(scale!) + Math.fround(shift!));
    });
    return { out: { values, sizes: values.map(() => 1), ulps: 0.5 } };
  },
  gatherU8AsI32: (call) => {
    const rows = gathered(call, 1);
    return {
      out: exactly(
        rows.flatMap((row) => indices(call.args.elements!).map((e) => row.getUint8(e))),
        'i32',
      ),
    };
  },
  gatherWords: (call) => {
    const rows = gathered(call, 4);
    return {
      out: exactly(
        rows.flatMap((row) => indices(call.args.elements!).map((e) => row.getInt32(4 * e, true))),
        'i32',
      ),
    };
  },
};
