import { AXES_EXTENTS } from './axes-extents.js';
import { BATCH_NORMALIZATION_EXTENTS } from './batch-normalization-extents.js';
import { CHANCE_EXTENTS } from './chance-extents.js';
import { HALVES_EXTENTS } from './halves-extents.js';
import { LOSS_EXTENTS } from './loss-extents.js';
import { NORM_BLOCK_FLOATS } from './memory-map.js';
import { RECURRENT_EXTENTS } from './recurrent-extents.js';
import type { KERNEL_TABLE } from './table.js';
import type { KernelArguments, KernelName } from './tape.js';
import { TRANSFORMER_EXTENTS } from './transformer-extents.js';

/** Words at an offset that a kernel reads or writes; `orNone`: offset 0 is allowed and means that there are none. */
export type Extent = number | { readonly orNone: number };

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
const inputPlaces = ({ rows, height, width }: Windows) => rows * height * width;
const outputPlaces = ({ rows, outHeight, outWidth }: Windows) => rows * outHeight * outWidth;

type Convolution = KernelArguments<'convolution'>;
const filterWords = (a: Omit<Convolution, 'w' | 'bias' | 'y' | 'activation'>) =>
  (a.kernelHeight * a.kernelWidth * a.inputs * a.outputs) / a.groups;
const convolution = (a: Convolution) => ({
  x: inputPlaces(a) * a.inputs,
  w: filterWords(a),
  y: outputPlaces(a) * a.outputs,
});
const pool = (a: Windows & { readonly channels: number }) => ({
  x: inputPlaces(a) * a.channels,
  y: outputPlaces(a) * a.channels,
});

/** The parts of gathers that lie at fixed offsets: the rest depends on the data, see regions.ts. */
const batch = ({ rows, elements }: { readonly rows: number; readonly elements: number }) => ({
  out: rows * elements,
  cursor: 2,
  chunkTable: 1,
});

/** How far each offset of a call reaches. The compiler sees to it that no kernel and no offset is missing. */
export const EXTENTS: {
  readonly [K in KernelName]: (args: KernelArguments<K>) => { readonly [A in Pointer<K>]: Extent };
} = {
  addVectors: pair,
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

  convolution: (a) => ({ ...convolution(a), bias: { orNone: a.outputs } }),
  convolutionTransposed: (a) => ({ ...convolution(a), bias: { orNone: a.inputs } }),
  treeConvolutionWeights: (a) => ({
    x: inputPlaces(a) * a.inputs,
    dy: outputPlaces(a) * a.outputs,
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

  ...RECURRENT_EXTENTS,
  scaleVector: map,
  affineVector: map,
  ...LOSS_EXTENTS,
  ...AXES_EXTENTS,
  ...BATCH_NORMALIZATION_EXTENTS,
  ...HALVES_EXTENTS,
  ...TRANSFORMER_EXTENTS,
  ...CHANCE_EXTENTS,

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
