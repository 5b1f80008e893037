/*
 * Common parts of recurrent ops. A sample is a sequence [steps, features]. ONE op computes the whole sequence; its output is
 * the output of the layer at each step [steps, units], or after the last one [units].
 *
 *     z_t = x_t W + b        for all steps in one product of rows * steps rows
 *     h_t = cell(z_t, h_(t-1) U, ...)                        step by step, h = 0 before the first
 *
 * Backward through time replaces z by its error term dz, at all steps; the rest is as in a dense layer:
 *
 *     dx = dz W^T      dW = sum of x_t^T dz_t      dU = sum of h_(t-1)^T dz_t      db = sum of dz_t
 *
 * The sums run over samples and steps: in a leaf, samples ascending, and in each sample steps ascending in time, also when the
 * sequence is processed from its end.
 *
 * Inputs: the sequence; then, if `masked`, [steps] numbers, 0 for each step that is padding, where h does not change and
 * gradients are 0; then, with `initialState`, h before the first step [units], and for an LSTM c.
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { formatShape, type Shape, sameShape } from '../shape.js';
import type { KernelSink, OpUse } from './op.js';

/** Largest number of units: RECURRENT_UNITS of the kernels. */
const UNITS_MAX = 1024;

export const RecurrentAttributes = v.strictObject({
  units: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(UNITS_MAX)),
  /** An output at each step, or only after the last. */
  returnSequences: v.boolean(),
  /** Whether the sequence is processed from its end; outputs keep the positions of their inputs. */
  reverse: v.boolean(),
  masked: v.optional(v.boolean(), false),
  initialState: v.optional(v.boolean(), false),
});
export type RecurrentAttributes = v.InferOutput<typeof RecurrentAttributes>;

type Use = Pick<OpUse<RecurrentAttributes>, 'attributes' | 'inputs'>;

/** Largest number of inputs of an op with `states` state tensors. */
export const inputsMax = (states: number): number => 2 + states;

/** The sizes of a use. */
export interface SequenceSize {
  readonly steps: number;
  readonly features: number;
  readonly units: number;
  /** The arguments of the kernels except tensors and rows. */
  readonly layer: { readonly steps: number; readonly units: number; sequences: number; reverse: number };
}

export function sizeOf({ inputs: [input], attributes }: Use): SequenceSize {
  const [steps, features] = input as [number, number];
  const { units, returnSequences, reverse } = attributes;
  return {
    steps,
    features,
    units,
    layer: { steps, units, sequences: Number(returnSequences), reverse: Number(reverse) },
  };
}

/**
 * The shape rule of recurrent ops.
 * @param states number of state tensors
 */
export function recurrentShape(use: OpUse<RecurrentAttributes>, states = 1): Shape {
  const { name, inputs, attributes } = use;
  const { units, returnSequences, masked, initialState } = attributes;
  const [[steps = 0, ...others], ...rest] = inputs;
  if (others.length !== 1) {
    throw new UserError(
      `layer ${name}: needs a sequence [steps, features], but the input has shape ${formatShape(inputs[0])}; reshape it`,
    );
  }
  const expected = [
    ...(masked ? [[steps]] : []),
    ...(initialState ? Array.from({ length: states }, () => [units]) : []),
  ];
  if (rest.length !== expected.length || rest.some((shape, i) => !sameShape(shape, expected[i] as Shape))) {
    const [has, needs] = [rest, expected].map((shapes) => shapes.map(formatShape).join(' and ') || 'none');
    throw new UserError(
      `layer ${name}: its mask and initial state have shapes ${has}; they must have ${needs}`,
    );
  }
  return returnSequences ? [steps, units] : [units];
}

/** The optional inputs, or their error terms; 0 for those that are missing. */
export function optionalInputs(
  { masked, initialState }: RecurrentAttributes,
  tensors: readonly number[],
): { readonly mask: number; readonly start: number; readonly startCell: number } {
  const [start = 0, startCell = 0] = initialState ? tensors.slice(masked ? 2 : 1) : [];
  return { mask: masked ? (tensors[1] as number) : 0, start, startCell };
}

/** The error term of a mask, which is 0: the output is a step function of the mask. */
export function emitMaskError(to: KernelSink, rows: number, steps: number, dmask: number): void {
  if (dmask !== 0) to.emit('fill', { out: dmask, n: rows * steps, value: 0 });
}

/** The gates of all steps of all rows. */
interface Gates {
  readonly rows: number;
  readonly size: SequenceSize;
  /** Columns of z: the gates of all units. */
  readonly width: number;
  /** [rows, steps, width] */
  readonly z: number;
}

/** z = x W + b */
export function emitInputProduct(
  to: KernelSink,
  { rows, size: { steps, features }, width, z }: Gates,
  input: { readonly x: number; readonly kernel: number; readonly bias: number },
): void {
  const product = { rows: rows * steps, inner: features, cols: width, activation: 0 };
  to.emit('matmul', { a: input.x, b: input.kernel, bias: input.bias, out: z, ...product });
}

/** dx = dz W^T, if it is needed */
export function emitInputError(
  to: KernelSink,
  { rows, size: { steps, features }, width, z }: Gates,
  { kernel, dx }: { readonly kernel: number; readonly dx: number },
): void {
  if (dx === 0) return;
  to.emit('matmulTransposedB', {
    a: z,
    b: kernel,
    out: dx,
    rows: rows * steps,
    inner: width,
    cols: features,
  });
}

/** Sum of a^T dz over the steps of a subtree, and sum of dz; each one that is needed. `a` is [rows, steps, m]. */
export function emitStepSums(
  to: KernelSink,
  { rows, size: { steps }, width, z, leafRows }: Gates & { readonly leafRows: number },
  sums: { readonly a: number; readonly m: number; readonly product: number; readonly bias: number },
): void {
  const range = { rows: rows * steps, leafRows: leafRows * steps, n: width };
  const { a, m, product, bias } = sums;
  if (product !== 0) to.emit('treeMatmulTransposedA', { a, b: z, out: product, m, ...range });
  if (bias !== 0) to.emit('treeSumRows', { a: z, out: bias, ...range });
}
