import { AXES_SPECIMENS } from './axes-specimens.js';
import { BATCH_NORMALIZATION_SPECIMENS } from './batch-normalization-specimens.js';
import { CHANCE_SPECIMENS } from './chance-specimens.js';
import { HALVES_SPECIMENS } from './halves-specimens.js';
import { IMAGE_SPECIMENS } from './image-specimens.js';
import { LOSS_SPECIMENS } from './loss-specimens.js';
import { NORM_BLOCK_FLOATS } from './memory-map.js';
import { MUON_SPECIMENS } from './muon-specimens.js';
import { OPTIMIZER_SPECIMENS } from './optimizer-specimens.js';
import { RECURRENT_SPECIMENS } from './recurrent-specimens.js';
import { input, output, type Size, type Specimen } from './specimen.js';
import type { KernelName } from './tape.js';
import { TRANSFORMER_SPECIMENS } from './transformer-specimens.js';

const map = ({ rows, cols }: Size) => ({ out: output(rows * cols), a: input(rows * cols), n: rows * cols });
const pair = (size: Size) => ({ ...map(size), b: input(size.rows * size.cols) });
const blocks = ({ rows, cols }: Size) => {
  const n = 9 * rows * cols;
  return { a: input(n), out: output(Math.ceil(n / NORM_BLOCK_FLOATS)), n };
};
const forward = ({ rows, cols }: Size) => ({ x: input(rows * cols), y: output(rows * cols), n: rows * cols });
const backward = ({ rows, cols }: Size) => ({
  y: input(rows * cols),
  dy: input(rows * cols),
  dx: output(rows * cols),
  n: rows * cols,
});
const perRow = ({ rows }: Size) => ({ loss: output(rows), correct: output(rows) });
const shape = ({ rows, cols }: Size) => ({ rows, cols });
/** Of an odd number of rows, labels are smoothed and class 1 does not count; else all is as without. */
const smoothed = ({ rows }: Size) =>
  rows % 2 === 1 ? { smoothing: 1 / 8, ignored: 1 } : { smoothing: 0, ignored: -(2 ** 31) };
const random = ({ rows, cols }: Size) => ({
  out: output(rows * cols),
  n: rows * cols,
  key0: 0x243f6a88,
  key1: -5,
});

/** Samples 7, 0, 4 ... of records [inner words, field of `words`] in two chunks. */
function batch({ rows, cols, inner }: Size, words: number) {
  const samples = rows + 3;
  const chunkSamples = Math.ceil(samples / 2);
  const record = inner + words;
  const chunk = input(chunkSamples * record, 'byte');
  const order = [...Array(samples).keys()].map((i) => (i * 5 + 2) % samples);
  return {
    out: output(rows * cols),
    chunkTable: input(2, { words: [chunk, chunk] }),
    cursor: input(2, { words: [input(samples, { words: order }), 1] }),
    first: 1,
    rows,
    elements: cols,
    chunkSamples,
    recordBytes: record * 4,
    fieldOffset: inner * 4,
  };
}

/** A call of every kernel. The compiler sees to it that none is missing. */
export const SPECIMENS: { readonly [K in KernelName]: (size: Size) => Specimen<K> } = {
  addVectors: pair,
  multiplyVectors: pair,
  copyVector: map,
  fill: ({ rows, cols }) => ({ out: output(rows * cols), n: rows * cols, value: -0.1 }),
  sumSquares: (size) => ({ ...blocks(size), large: blocks(size).out }),
  treeTotal: ({ rows, cols }) => ({ a: input(rows * cols), out: output(1), n: rows * cols }),

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
    a: input(rows * inner),
    b: input(inner * cols),
    bias: rows % 2 === 0 ? 0 : input(cols),
    out: output(rows * cols),
    rows,
    inner,
    cols,
    activation: inner % 2,
  }),
  matmulTransposedB: ({ rows, inner, cols }) => ({
    a: input(rows * inner),
    b: input(cols * inner),
    out: output(rows * cols),
    rows,
    inner,
    cols,
  }),
  treeMatmulTransposedA: ({ rows, inner, cols }) => ({
    a: input(inner * rows),
    b: input(inner * cols),
    out: output(rows * cols),
    rows: inner,
    m: rows,
    n: cols,
    leafRows: 4,
  }),
  treeSumRows: ({ rows, cols }) => ({
    a: input(rows * cols),
    out: output(cols),
    rows,
    n: cols,
    leafRows: 2,
  }),

  logSoftmaxForward: (size) => ({
    x: input(size.rows * size.cols),
    y: output(size.rows * size.cols),
    ...shape(size),
  }),
  logSoftmaxBackward: (size) => ({
    y: input(size.rows * size.cols, 'probability'),
    dy: input(size.rows * size.cols),
    dx: output(size.rows * size.cols),
    ...shape(size),
  }),
  softmaxForward: (size) => ({
    x: input(size.rows * size.cols),
    y: output(size.rows * size.cols),
    ...shape(size),
  }),
  softmaxBackward: (size) => ({
    y: input(size.rows * size.cols, 'probability'),
    dy: input(size.rows * size.cols),
    dx: output(size.rows * size.cols),
    ...shape(size),
  }),
  oneHot: (size) => ({
    labels: input(size.rows, 'label'),
    out: output(size.rows * size.cols),
    ...shape(size),
  }),

  softmaxCrossEntropySparseForward: (size) => ({
    logits: input(size.rows * size.cols),
    labels: input(size.rows, 'label'),
    probabilities: output(size.rows * size.cols),
    ...perRow(size),
    counted: size.rows % 2 === 1 ? output(size.rows) : 0,
    ...shape(size),
    ...smoothed(size),
  }),
  softmaxCrossEntropySparseBackward: (size) => ({
    probabilities: input(size.rows * size.cols, 'probability'),
    labels: input(size.rows, 'label'),
    dlogits: output(size.rows * size.cols),
    ...shape(size),
    scale: 1 / 3,
    ...smoothed(size),
  }),
  softmaxCrossEntropyForward: (size) => ({
    logits: input(size.rows * size.cols),
    targets: input(size.rows * size.cols, 'probability'),
    probabilities: output(size.rows * size.cols),
    ...perRow(size),
    ...shape(size),
  }),
  softmaxCrossEntropyBackward: (size) => ({
    probabilities: input(size.rows * size.cols, 'probability'),
    targets: input(size.rows * size.cols, 'probability'),
    dlogits: output(size.rows * size.cols),
    ...shape(size),
    scale: 1 / 3,
  }),
  crossEntropyForward: (size) => ({
    p: input(size.rows * size.cols, 'probability'),
    targets: input(size.rows * size.cols, 'probability'),
    ...perRow(size),
    ...shape(size),
  }),
  crossEntropyBackward: (size) => ({
    p: input(size.rows * size.cols, 'probability'),
    targets: input(size.rows * size.cols),
    dp: output(size.rows * size.cols),
    ...shape(size),
    scale: 1 / 3,
  }),
  meanSquaredErrorForward: (size) => ({
    y: input(size.rows * size.cols),
    targets: input(size.rows * size.cols),
    loss: output(size.rows),
    ...shape(size),
  }),
  meanSquaredErrorBackward: (size) => ({
    y: input(size.rows * size.cols),
    targets: input(size.rows * size.cols),
    dy: output(size.rows * size.cols),
    ...shape(size),
    scale: 1 / 3,
  }),

  scaleVector: (size) => ({ ...map(size), factor: 1 / 3 }),
  affineVector: (size) => ({ ...map(size), factor: 1 / 3, summand: 1 / 7 }),
  ...LOSS_SPECIMENS,
  ...AXES_SPECIMENS,
  ...BATCH_NORMALIZATION_SPECIMENS,
  ...HALVES_SPECIMENS,
  ...OPTIMIZER_SPECIMENS,
  ...MUON_SPECIMENS,
  ...IMAGE_SPECIMENS,
  ...TRANSFORMER_SPECIMENS,
  ...RECURRENT_SPECIMENS,
  ...CHANCE_SPECIMENS,

  randomUniform: (size) => ({ ...random(size), low: -0.3, high: 0.7 }),
  randomNormal: (size) => ({ ...random(size), mean: 0.5, deviation: 3 }),
  randomTruncatedNormal: (size) => ({ ...random(size), mean: 0.5, deviation: 3 }),

  gatherU8: (size) => ({ ...batch(size, Math.ceil(size.cols / 4)), scale: 1 / 255, shift: -0.5 }),
  gatherU8AsI32: (size) => batch(size, Math.ceil(size.cols / 4)),
  gatherWords: (size) => batch(size, size.cols),
};
