import { input, output, type Size } from './specimen.js';

/** Calls of the kernels that draw random numbers while training: step 7 of samples 7, 0, 4 ... */
function chance({ rows }: Size) {
  const samples = rows + 3;
  const order = [...Array(samples).keys()].map((i) => (i * 5 + 2) % samples);
  const cursor = input(3, { words: [input(samples, { words: order }), 1, 7] });
  return { cursor, first: 1, rows, key0: 0x243f6a88, key1: -5 };
}

const KEPT = 40_000;

/** A few samples of sides that are not too large. */
const few = ({ rows, inner, cols }: Size): Size => ({ rows: 1 + (rows % 5), inner: 1 + (inner % 19), cols });

/** Odd `rows` mirror images at their borders, even ones put zeros there. */
function window({ rows, inner, cols }: Size) {
  const [height, width, channels] = [1 + (cols % 9), inner, 1 + (rows % 3)];
  const [outHeight, outWidth] = [Math.max(1, height - 2), width + 1];
  const place = { top: -1, left: -3, topSpan: 4, leftSpan: 6, flips: inner % 4, fill: rows % 2 };
  return {
    image: rows * height * width * channels,
    seen: rows * outHeight * outWidth * channels,
    args: { height, width, channels, outHeight, outWidth, ...place },
  };
}

export const CHANCE_SPECIMENS = {
  dropoutForward: (size: Size) => {
    const { rows, inner, cols } = size;
    const words = 2 * rows * cols;
    const mask = output(rows * Math.ceil(cols / 32));
    const share = { dropped: 65536 - KEPT - inner, scale: 65536 / KEPT };
    return { x: input(words), y: output(words), mask, ...chance(size), repeats: 2, elements: cols, ...share };
  },
  dropoutBackward: ({ rows, cols }: Size) => {
    const words = 2 * rows * cols;
    const mask = input(rows * Math.ceil(cols / 32), 'byte');
    const terms = { dy: input(words), dx: output(words) };
    return { mask, ...terms, rows, repeats: 2, elements: cols, scale: 65536 / KEPT };
  },
  addNoise: (size: Size) => {
    const words = size.rows * size.cols;
    return { x: input(words), y: output(words), ...chance(size), elements: size.cols, deviation: 0.3 };
  },
  windowForward: (size: Size) => {
    const { image, seen, args } = window(few(size));
    return { x: input(image), y: output(seen), ...chance(few(size)), ...args };
  },
  windowBackward: (size: Size) => {
    const { image, seen, args } = window(few(size));
    return { dy: input(seen), dx: output(image), ...chance(few(size)), ...args };
  },
  maskBands: (size: Size) => {
    const { rows, inner, cols } = few(size);
    const words = rows * inner * cols * 2;
    const sides = { times: inner, frequencies: cols, channels: 2 };
    const bands = { timeMasks: 2, timeWidth: 1 + (inner >> 2), frequencyMasks: 1, frequencyWidth: cols >> 1 };
    return { x: input(words), y: output(words), ...chance(few(size)), ...sides, ...bands };
  },
} as const;
