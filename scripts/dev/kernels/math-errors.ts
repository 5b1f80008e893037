import { CommandBuffer } from '../../../shared/kernels/command-buffer.js';
import type { Kernels } from '../../../shared/kernels/kernels.js';
import { STATIC_BYTES, THREAD_BYTES } from '../../../shared/kernels/memory-map.js';

/** The kernels of mathematical functions, with the function in double precision. */
export const EXACT = {
  exponential: Math.exp,
  logarithm: Math.log,
  tanhForward: Math.tanh,
  sigmoidForward: (x: number) => 1 / (1 + Math.exp(-x)),
  errorFunction,
  sine: Math.sin,
  cosine: Math.cos,
  squareRoot: Math.sqrt,
  reciprocalSquareRoot: (x: number) => 1 / Math.sqrt(x),
} as const;

export type MathKernel = keyof typeof EXACT;
export const MATH_KERNELS = Object.keys(EXACT) as MathKernel[];

/** The errors of the results of a kernel. */
export interface MathErrors {
  /** Largest error in units in the last place of the exact result (at least 2^-149); Infinity for a wrong NaN or zero. */
  readonly worstUlp: number;
  /** The argument with this error; NaN if every result is the nearest float. */
  readonly at: number;
  /** Share of results that are not the float nearest to the exact one. */
  readonly misrounded: number;
}

/** Kernels and their memory, in which MEASURE_BYTES follow the space of the first thread. */
export interface Target {
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
}

/** Floats that are computed at once. */
const BLOCK = 2 ** 20;
const INPUT = STATIC_BYTES + THREAD_BYTES;
const OUTPUT = INPUT + BLOCK * 4;
const COMMAND_BUFFER = OUTPUT + BLOCK * 4;
export const MEASURE_BYTES = 2 * BLOCK * 4 + 1024;

/** The results of a kernel for up to BLOCK floats; valid until the next call. */
export function valuesOf(
  kernel: MathKernel,
  { kernels, memory }: Target,
  inputs: Float32Array,
): Float32Array {
  const n = inputs.length;
  new Float32Array(memory.buffer, INPUT, n).set(inputs);
  const call = new CommandBuffer();
  if (kernel === 'tanhForward' || kernel === 'sigmoidForward') call.emit(kernel, { x: INPUT, y: OUTPUT, n });
  else call.emit(kernel, { out: OUTPUT, a: INPUT, n });
  const words = call.words();
  new Int32Array(memory.buffer, COMMAND_BUFFER, words.length).set(words);
  kernels.run(COMMAND_BUFFER, words.length);
  return new Float32Array(memory.buffer, OUTPUT, n);
}

/**
 * Measures a kernel on all floats with the bits first, first + step, ... below 2^32.
 *
 * Doubles are used as exact values: each function is evaluated with a relative error of about 2^-52, also near its zeros,
 * which is 2^-29 ulp of a float.
 */
export function measureErrors(
  kernel: MathKernel,
  target: Target,
  { first = 0, step = 1 }: { first?: number; step?: number } = {},
): MathErrors {
  const exact = EXACT[kernel];
  const bits = new Uint32Array(BLOCK);
  // The largest error of the nearest float.
  let worstUlp = 0.5;
  let at = Number.NaN;
  let misrounded = 0;
  let count = 0;
  for (let next = first; next < 2 ** 32; ) {
    let n = 0;
    for (; n < BLOCK && next < 2 ** 32; n++, next += step) bits[n] = next;
    const inputs = new Float32Array(bits.buffer, 0, n);
    const outputs = valuesOf(kernel, target, inputs);
    for (let i = 0; i < n; i++) {
      const got = outputs[i]!;
      const y = exact(inputs[i]!);
      if (Object.is(got, Math.fround(y))) continue;
      misrounded++;
      const ulps = ulpsBetween(got, y);
      if (!(ulps <= worstUlp)) [worstUlp, at] = [ulps, inputs[i]!];
    }
    count += n;
  }
  return { worstUlp, at, misrounded: misrounded / count };
}

const cast = new DataView(new ArrayBuffer(8));

/**
 * |got - exact| in ulps of the float format at `exact`; an infinite `got` counts as 2^128. Infinity if only one of them is
 * NaN, or if they are zeros of different signs.
 */
function ulpsBetween(got: number, exact: number): number {
  cast.setFloat64(0, exact);
  const exponent = Math.min(Math.max(((cast.getUint16(0) >> 4) & 0x7ff) - 1023, -126), 127);
  const value = Math.abs(got) === Number.POSITIVE_INFINITY ? Math.sign(got) * 2 ** 128 : got;
  const isSignWrong = Object.is(got, -0) !== Object.is(exact, -0) && got === 0 && exact === 0;
  const isKindWrong = Number.isNaN(got) !== Number.isNaN(exact);
  if (isSignWrong || isKindWrong) return Number.POSITIVE_INFINITY;
  return Math.abs(value - exact) * 2 ** (23 - exponent);
}

/** erf x = 2/sqrt(pi) * e^(-x^2) * sum of 2^n x^(2n+1) / (1 * 3 * ... * (2n+1)), without cancellation. */
function errorFunction(x: number): number {
  if (!(Math.abs(x) < 6)) return Number.isNaN(x) ? x : Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 2 ** -60; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
