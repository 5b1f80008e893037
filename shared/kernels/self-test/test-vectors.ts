import type { KernelName } from '../command-buffer.js';
import { NORM_BLOCK_FLOATS } from '../memory-map.js';
import { AXES_TEST_VECTORS } from './axes-test-vectors.js';
import { BATCH_NORMALIZATION_TEST_VECTORS } from './batch-normalization-test-vectors.js';
import { IMAGE_TEST_VECTORS } from './image-test-vectors.js';
import { LOSS_TEST_VECTORS } from './loss-test-vectors.js';
import { OPTIMIZER_TEST_VECTORS } from './optimizer-test-vectors.js';
import { RANDOM_STREAM_TEST_VECTORS } from './random-stream-test-vectors.js';
import { RECURRENT_TEST_VECTORS } from './recurrent-test-vectors.js';
import { input, output, type Size, type TestVector, updated } from './test-vector.js';
import { TRANSFORMER_TEST_VECTORS } from './transformer-test-vectors.js';

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
const shape = ({ rows, cols }: Size) => ({ rows, cols });
const random = ({ rows, cols }: Size) => ({
  out: output(rows * cols),
  n: rows * cols,
  key0: 0x243f6a88,
  key1: -5,
});

/** Conversions of floats to short codes, several in a word, and back. */
const encoded = (codesPerWord: number) => (size: Size) => {
  const n = size.rows * size.cols;
  return { a: input(n), out: output(Math.ceil(n / codesPerWord)), n };
};
const decoded = (codesPerWord: number) => (size: Size) => {
  const n = size.rows * size.cols;
  return { a: input(Math.ceil(n / codesPerWord), 'byte'), out: output(n), n };
};

/** Block quantisation: 8 and 4 bits, signed and unsigned, with and without random bits. */
const quantized = ({ rows, cols }: Size) => {
  const n = rows * cols;
  const bits = rows % 4 === 1 ? 8 : 4;
  const scales = Math.ceil(Math.ceil(n / (bits === 8 ? 256 : 64)) / 2);
  return { n, bits, isUnsigned: cols % 3 === 1 ? 1 : 0, scales, codes: Math.ceil((n * bits) / 32) };
};

const signs = ({ isUnsigned }: { isUnsigned: number }) => (isUnsigned === 1 ? 'positive' : 'value');
const dither = ({ rows, cols }: Size) => ({
  step: rows % 2 === 0 ? (0 as const) : input(1, { words: [cols] }),
  ...{ first: 64 * rows, key0: -11, key1: 0x243f6a88 },
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

/** One test vector for every kernel: the type requires them all. */
export const TEST_VECTORS: { readonly [K in KernelName]: (size: Size) => TestVector<K> } = {
  addVectors: pair,
  subtractVectors: pair,
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

  scaleVector: (size) => ({ ...map(size), factor: 1 / 3 }),
  affineVector: (size) => ({ ...map(size), factor: 1 / 3, summand: 1 / 7 }),
  ...LOSS_TEST_VECTORS,
  ...AXES_TEST_VECTORS,
  ...BATCH_NORMALIZATION_TEST_VECTORS,
  ...OPTIMIZER_TEST_VECTORS,
  ...IMAGE_TEST_VECTORS,
  ...TRANSFORMER_TEST_VECTORS,
  ...RECURRENT_TEST_VECTORS,
  ...RANDOM_STREAM_TEST_VECTORS,

  floatToBfloat16: encoded(2),
  bfloat16ToFloat: decoded(2),
  roundToBfloat16: map,
  floatToFloat16: encoded(2),
  float16ToFloat: decoded(2),
  floatToInt8: (size) => ({ ...encoded(4)(size), scale: input(1, { floats: [0.0123] }) }),
  int8ToFloat: (size) => ({ ...decoded(4)(size), scale: input(1, { floats: [0.0123] }) }),

  encodeBlocks: (size) => {
    const { scales, codes, ...format } = quantized(size);
    const contents = { a: input(format.n, signs(format)), scales: output(scales), codes: output(codes) };
    return { ...contents, ...format, ...dither(size) };
  },
  quantizeBlocks: (size) => {
    const { n, bits, isUnsigned } = quantized(size);
    return { a: updated(n, signs({ isUnsigned })), n, bits, isUnsigned, ...dither(size) };
  },
  decodeBlocks: (size) => {
    const { n, bits, isUnsigned, scales, codes } = quantized(size);
    // Scales are pairs of bfloat16: 0.0151 and 0.25, then others; the last is NaN.
    const words = Array.from({ length: scales }, (_, i) => (i === 3 ? 0x7fc03c77 : 0x3e803c77 + i));
    const contents = { scales: input(scales, { words }), codes: input(codes, 'byte') };
    return { ...contents, out: output(n), ...{ n, bits, isUnsigned } };
  },

  randomUniform: (size) => ({ ...random(size), low: -0.3, high: 0.7 }),
  randomNormal: (size) => ({ ...random(size), mean: 0.5, deviation: 3 }),
  randomTruncatedNormal: (size) => ({ ...random(size), mean: 0.5, deviation: 3 }),

  gatherU8: (size) => ({ ...batch(size, Math.ceil(size.cols / 4)), scale: 1 / 255, shift: -0.5 }),
  gatherU8AsI32: (size) => batch(size, Math.ceil(size.cols / 4)),
  gatherWords: (size) => batch(size, size.cols),
};
