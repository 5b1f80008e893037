import { input, output, type Size } from './specimen.js';

const to = (inEachWord: number) => (size: Size) => {
  const n = size.rows * size.cols;
  return { a: input(n), out: output(Math.ceil(n / inEachWord)), n };
};
const from = (inEachWord: number) => (size: Size) => {
  const n = size.rows * size.cols;
  return { a: input(Math.ceil(n / inEachWord), 'byte'), out: output(n), n };
};
const scale = input(1, { floats: [0.0123] });

/** Calls of the kernels that make numbers shorter, and longer again. */
export const HALVES_SPECIMENS = {
  floatToBfloat16: to(2),
  bfloat16ToFloat: from(2),
  floatToFloat16: to(2),
  float16ToFloat: from(2),
  floatToInt8: (size: Size) => ({ ...to(4)(size), scale }),
  int8ToFloat: (size: Size) => ({ ...from(4)(size), scale }),
} as const;
