import { input, output, type Size } from './test-vector.js';

/** A cursor: step 7, samples 7, 0, 4 ... */
function randomStream({ rows }: Size) {
  const samples = rows + 3;
  const order = [...Array(samples).keys()].map((i) => (i * 5 + 2) % samples);
  const cursor = input(3, { words: [input(samples, { words: order }), 1, 7] });
  return { cursor, first: 1, rows, key0: 0x243f6a88, key1: -5 };
}

/** Of 65536: the share of elements that dropout keeps. */
const KEPT = 40_000;

/** Fewer and smaller samples. */
const few = ({ rows, inner, cols }: Size): Size => ({ rows: 1 + (rows % 5), inner: 1 + (inner % 19), cols });

/** Odd `rows` mirror images at their borders, even ones fill with zeros. */
function window({ rows, inner, cols }: Size) {
  const [height, width, channels] = [1 + (cols % 9), inner, 1 + (rows % 3)];
  const [outHeight, outWidth] = [Math.max(1, height - 2), width + 1];
  const position = { top: -1, left: -3, topSpan: 4, leftSpan: 6, flips: inner % 4, fill: rows % 2 };
  return {
    image: rows * height * width * channels,
    result: rows * outHeight * outWidth * channels,
    args: { height, width, channels, outHeight, outWidth, ...position },
  };
}

/** Test vectors of the kernels that draw random numbers for samples. */
export const RANDOM_STREAM_TEST_VECTORS = {
  dropoutForward: (size: Size) => {
    const { rows, inner, cols } = size;
    const words = 2 * rows * cols;
    const mask = output(rows * Math.ceil(cols / 32));
    const share = { dropped: 65536 - KEPT - inner, scale: 65536 / KEPT };
    return {
      x: input(words),
      y: output(words),
      mask,
      ...randomStream(size),
      repeats: 2,
      elements: cols,
      ...share,
    };
  },
  dropoutBackward: ({ rows, cols }: Size) => {
    const words = 2 * rows * cols;
    const mask = input(rows * Math.ceil(cols / 32), 'byte');
    const terms = { dy: input(words), dx: output(words) };
    return { mask, ...terms, rows, repeats: 2, elements: cols, scale: 65536 / KEPT };
  },
  addNoise: (size: Size) => {
    const words = size.rows * size.cols;
    return { x: input(words), y: output(words), ...randomStream(size), elements: size.cols, deviation: 0.3 };
  },
  windowForward: (size: Size) => {
    const { image, result, args } = window(few(size));
    return { x: input(image), y: output(result), ...randomStream(few(size)), ...args };
  },
  windowBackward: (size: Size) => {
    const { image, result, args } = window(few(size));
    return { dy: input(result), dx: output(image), ...randomStream(few(size)), ...args };
  },
  maskBands: (size: Size) => {
    const { rows, inner, cols } = few(size);
    const words = rows * inner * cols * 2;
    const sides = { times: inner, frequencies: cols, channels: 2 };
    const bands = { timeMasks: 2, timeWidth: 1 + (inner >> 2), frequencyMasks: 1, frequencyWidth: cols >> 1 };
    return { x: input(words), y: output(words), ...randomStream(few(size)), ...sides, ...bands };
  },
} as const;
