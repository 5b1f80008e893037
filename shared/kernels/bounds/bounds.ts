import type { KernelArguments, KernelName } from '../command-buffer.js';
import { NORM_BLOCK_FLOATS } from '../memory-map.js';
import type { KERNEL_TABLE } from '../table.js';
import { BATCH_NORMALIZATION_BOUNDS } from './batch-normalization-bounds.js';
import { RECURRENT_BOUNDS } from './recurrent-bounds.js';
import { TRANSFORMER_BOUNDS } from './transformer-bounds.js';

/** Number of words at an offset that a kernel reads or writes; `orNone`: offset 0 is allowed and means none. */
export type Bound = number | { readonly orNone: number };

type Kinds<K extends KernelName> = (typeof KERNEL_TABLE)[K]['arguments'];
type Pointer<K extends KernelName> = {
  [A in keyof Kinds<K>]: Kinds<K>[A] extends 'ptr' ? A : never;
}[keyof Kinds<K>];

type N = { readonly n: number };
type Matrix = { readonly rows: number; readonly cols: number };

const map = ({ n }: N) => ({ out: n, a: n });
const pair = ({ n }: N) => ({ out: n, a: n, b: n });
const forward = ({ n }: N) => ({ x: n, y: n });
const backward = ({ n }: N) => ({ y: n, dy: n, dx: n });
const out = ({ n }: N) => ({ out: n });
const blocks = ({ n }: N) => ({ a: n, out: Math.ceil(n / NORM_BLOCK_FLOATS) });
const matrices =
  <A extends string>(...names: readonly A[]) =>
  ({ rows, cols }: Matrix) =>
    Object.fromEntries(names.map((name) => [name, rows * cols])) as Record<A, number>;
const perRow = ({ rows }: Matrix) => ({ loss: rows, correct: rows });

interface Windows {
  readonly rows: number;
  readonly height: number;
  readonly width: number;
  readonly outHeight: number;
  readonly outWidth: number;
}
const inputPixels = ({ rows, height, width }: Windows) => rows * height * width;
const outputPixels = ({ rows, outHeight, outWidth }: Windows) => rows * outHeight * outWidth;

type Convolution = KernelArguments<'convolution'>;
const filterWords = (a: Omit<Convolution, 'w' | 'bias' | 'y' | 'activation'>) =>
  (a.kernelHeight * a.kernelWidth * a.inputs * a.outputs) / a.groups;
const convolution = (a: Convolution) => ({
  x: inputPixels(a) * a.inputs,
  w: filterWords(a),
  y: outputPixels(a) * a.outputs,
});
const pool = (a: Windows & { readonly channels: number }) => ({
  x: inputPixels(a) * a.channels,
  y: outputPixels(a) * a.channels,
});

/** The cursor of kernels that draw random numbers for samples; the order of samples that it leads to: see regions.ts. */
const CURSOR = { cursor: { orNone: 3 } };

interface Dropout {
  readonly rows: number;
  readonly repeats: number;
  readonly elements: number;
}
const dropoutWords = ({ rows, repeats, elements }: Dropout) => rows * repeats * elements;
const maskWords = ({ rows, elements }: Dropout) => rows * Math.ceil(elements / 32);

interface Quantized {
  readonly n: number;
  readonly bits: number;
}
const quantized = ({ n, bits }: Quantized) => ({
  scales: Math.ceil(Math.ceil(n / (bits === 8 ? 256 : 64)) / 2),
  codes: Math.ceil((n * bits) / 32),
});

/** The arguments of gathers at fixed offsets; what they lead to depends on the data, see regions.ts. */
const batch = ({ rows, elements }: { readonly rows: number; readonly elements: number }) => ({
  out: rows * elements,
  cursor: 2,
  chunkTable: 1,
});

/** The words that a call reads or writes at each offset. The type requires every kernel and every offset. */
export const BOUNDS: {
  readonly [K in KernelName]: (args: KernelArguments<K>) => { readonly [A in Pointer<K>]: Bound };
} = {
  addVectors: pair,
  subtractVectors: pair,
  multiplyVectors: pair,
  copyVector: map,
  fill: out,
  sumSquares: (a) => ({ ...blocks(a), large: blocks(a).out }),
  treeTotal: ({ n }) => ({ a: n, out: 1 }),
  exponential: map,
  logarithm: map,
  errorFunction: map,
  sine: map,
  cosine: map,
  squareRoot: map,
  reciprocalSquareRoot: map,
  reluForward: forward,
  reluBackward: backward,
  sigmoidForward: forward,
  sigmoidBackward: backward,
  tanhForward: forward,
  tanhBackward: backward,

  matmul: ({ rows, inner, cols }) => ({
    a: rows * inner,
    b: inner * cols,
    bias: { orNone: cols },
    out: rows * cols,
  }),
  matmulTransposedB: ({ rows, inner, cols }) => ({ a: rows * inner, b: cols * inner, out: rows * cols }),
  treeMatmulTransposedA: ({ rows, m, n }) => ({ a: rows * m, b: rows * n, out: m * n }),
  treeSumRows: ({ rows, n }) => ({ a: rows * n, out: n }),

  logSoftmaxForward: matrices('x', 'y'),
  logSoftmaxBackward: matrices('y', 'dy', 'dx'),
  softmaxForward: matrices('x', 'y'),
  softmaxBackward: matrices('y', 'dy', 'dx'),
  oneHot: (a) => ({ labels: a.rows, ...matrices('out')(a) }),
  softmaxCrossEntropySparseForward: (a) => ({
    ...matrices('logits', 'probabilities')(a),
    labels: a.rows,
    ...perRow(a),
    counted: { orNone: a.rows },
  }),
  softmaxCrossEntropySparseBackward: (a) => ({
    ...matrices('probabilities', 'dlogits')(a),
    labels: a.rows,
  }),
  softmaxCrossEntropyForward: (a) => ({ ...matrices('logits', 'targets', 'probabilities')(a), ...perRow(a) }),
  softmaxCrossEntropyBackward: matrices('probabilities', 'targets', 'dlogits'),
  crossEntropyForward: (a) => ({ ...matrices('p', 'targets')(a), ...perRow(a) }),
  crossEntropyBackward: matrices('p', 'targets', 'dp'),
  meanSquaredErrorForward: (a) => ({ ...matrices('y', 'targets')(a), loss: a.rows }),
  meanSquaredErrorBackward: matrices('y', 'targets', 'dy'),
  meanAbsoluteErrorForward: (a) => ({ ...matrices('y', 'targets')(a), loss: a.rows }),
  meanAbsoluteErrorBackward: matrices('y', 'targets', 'dy'),
  huberForward: (a) => ({ ...matrices('y', 'targets')(a), loss: a.rows }),
  huberBackward: matrices('y', 'targets', 'dy'),
  binaryCrossEntropyForward: (a) => ({ ...matrices('logits', 'targets')(a), ...perRow(a) }),
  binaryCrossEntropyBackward: matrices('logits', 'targets', 'dlogits'),
  ctcForward: ({ rows, steps, cols, length }) => {
    const outputs = rows * steps * cols;
    return { logits: outputs, labels: rows * length, errors: outputs, loss: rows };
  },

  convolution: (a) => ({ ...convolution(a), bias: { orNone: a.outputs } }),
  convolutionTransposed: (a) => ({ ...convolution(a), bias: { orNone: a.inputs } }),
  treeConvolutionWeights: (a) => ({
    x: inputPixels(a) * a.inputs,
    dy: outputPixels(a) * a.outputs,
    dw: filterWords(a),
  }),
  maxPoolForward: pool,
  maxPoolBackward: (a) => {
    const { x, y } = pool(a);
    return { x, y, dy: y, dx: x };
  },
  averagePoolForward: pool,
  averagePoolBackward: (a) => {
    const { x, y } = pool(a);
    return { dy: y, dx: x };
  },

  ...RECURRENT_BOUNDS,
  scaleVector: map,
  affineVector: map,
  ...BATCH_NORMALIZATION_BOUNDS,
  ...TRANSFORMER_BOUNDS,

  copyRows: ({ rows, width, aPitch, outPitch }) => ({
    a: (rows - 1) * aPitch + width,
    out: (rows - 1) * outPitch + width,
  }),
  permuteAxes: (a) => {
    const words = a.size0 * a.size1 * a.size2 * a.size3 * a.size4;
    return { a: words, out: words };
  },
  repeatRows: ({ rows, times, width }) => ({ a: rows * width, out: rows * times * width }),
  sumRepeats: ({ rows, times, width }) => ({ a: rows * times * width, out: rows * width }),
  orthonormalRows: ({ count, length }) => ({ a: count * length }),

  floatToBfloat16: ({ n }) => ({ a: n, out: Math.ceil(n / 2) }),
  bfloat16ToFloat: ({ n }) => ({ a: Math.ceil(n / 2), out: n }),
  roundToBfloat16: map,
  floatToFloat16: ({ n }) => ({ a: n, out: Math.ceil(n / 2) }),
  float16ToFloat: ({ n }) => ({ a: Math.ceil(n / 2), out: n }),
  floatToInt8: ({ n }) => ({ a: n, out: Math.ceil(n / 4), scale: 1 }),
  int8ToFloat: ({ n }) => ({ a: Math.ceil(n / 4), out: n, scale: 1 }),

  encodeBlocks: (a) => ({ a: a.n, ...quantized(a), step: { orNone: 1 } }),
  quantizeBlocks: ({ n }) => ({ a: n, step: { orNone: 1 } }),
  decodeBlocks: (a) => ({ ...quantized(a), out: a.n }),

  dropoutForward: (a) => ({ x: dropoutWords(a), y: dropoutWords(a), mask: maskWords(a), ...CURSOR }),
  dropoutBackward: (a) => ({ mask: maskWords(a), dy: dropoutWords(a), dx: dropoutWords(a) }),
  addNoise: ({ rows, elements }) => ({ x: rows * elements, y: rows * elements, ...CURSOR }),
  windowForward: (a) => ({ x: inputPixels(a) * a.channels, y: outputPixels(a) * a.channels, ...CURSOR }),
  windowBackward: (a) => ({ dy: outputPixels(a) * a.channels, dx: inputPixels(a) * a.channels, ...CURSOR }),
  maskBands: ({ rows, times, frequencies, channels }) => {
    const words = rows * times * frequencies * channels;
    return { x: words, y: words, ...CURSOR };
  },

  sgdUpdate: ({ n }) => ({ weights: n, gradient: n, momentum: n, scalars: 4 }),
  adamUpdate: ({ n }) => ({ weights: n, gradient: n, m: n, v: n, scalars: 8 }),
  rmspropUpdate: ({ n }) => ({ weights: n, gradient: n, v: n, momentum: n, scalars: 6 }),
  adagradUpdate: ({ n }) => ({ weights: n, gradient: n, v: n, scalars: 3 }),
  clampVector: ({ n }) => ({ a: n }),
  shrinkVector: ({ n }) => ({ a: n, total: 2 }),
  addPenalty: ({ n }) => ({ gradient: n, weights: n }),
  addGradientNoise: ({ n }) => ({ gradient: n, step: 1 }),
  lionUpdate: ({ n }) => ({ weights: n, gradient: n, m: n, scalars: 6 }),
  muonMomentum: ({ n }) => ({ gradient: n, momentum: n, out: n, scalars: 5 }),
  normalizeVector: ({ n }) => ({ a: n, total: 2 }),
  blendVectors: pair,
  muonUpdate: ({ n }) => ({ weights: n, direction: n, scalars: 5 }),
  randomUniform: out,
  randomNormal: out,
  randomTruncatedNormal: out,

  gatherU8: batch,
  gatherU8AsI32: batch,
  gatherWords: batch,
};
