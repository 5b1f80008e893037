/*
 * What all recurrent ops share. A sample is a sequence [steps, features]; the op is ONE op over the whole of it, and its
 * output is what the layer says at each step [steps, units], or after the last one [units].
 *
 *     z_t = x_t W + b        for all steps in one product: they lie one behind the other, rows * steps of them
 *     h_t = cell(z_t, h_(t-1) U, ...)                        step by step, h = 0 before the first
 *
 * Backward through time turns z into its error term dz, at all steps; from there on it is a dense layer's matter:
 *
 *     dx = dz W^T      dW = sum of x_t^T dz_t      dU = sum of h_(t-1)^T dz_t      db = sum of dz_t
 *
 * The sums run over samples and steps: in a leaf, samples ascending, and in each sample places ascending in time, also
 * when the sequence is walked from its end.
 *
 * Inputs: the sequence; then, if `masked`, [steps] numbers, 0 for each step that is padding, at which h stays what it was and
 * nothing is learned; then, with `initialState`, what h is before the first step [units], and an LSTM's c.
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { formatShape, type Shape, sameShape } from '../shape.js';
import type { KernelSink, OpUse } from './op.js';

/** Most units: RECURRENT_UNITS of the kernels. */
const UNITS_MAX = 1024;

export const RecurrentAttributes = v.strictObject({
  units: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(UNITS_MAX)),
  /** An output at each step, or only after the last. */
  returnSequences: v.boolean(),
  /** From the sequence's end to its beginning; outputs lie at the places of their inputs. */
  reverse: v.boolean(),
  masked: v.optional(v.boolean(), false),
  initialState: v.optional(v.boolean(), false),
});
export type RecurrentAttributes = v.InferOutput<typeof RecurrentAttributes>;

type Use = Pick<OpUse<RecurrentAttributes>, 'attributes' | 'inputs'>;

/** Most inputs of an op whose state is so many tensors. */
export const inputsMax = (states: number): number => 2 + states;

/** Sizes of a use, for its kernels. */
export interface SequenceSize {
  readonly steps: number;
  readonly features: number;
  readonly units: number;
  /** What the kernels are told beside tensors and rows. */
  readonly walk: { readonly steps: number; readonly units: number; sequences: number; reverse: number };
}

export function sizeOf({ inputs: [input], attributes }: Use): SequenceSize {
  const [steps, features] = input as [number, number];
  const { units, returnSequences, reverse } = attributes;
  return {
    steps,
    features,
    units,
    walk: { steps, units, sequences: Number(returnSequences), reverse: Number(reverse) },
  };
}

/**
 * The shape rule of recurrent ops.
 * @param states tensors that a state is made of
 */
export function recurrentShape(use: OpUse<RecurrentAttributes>, states = 1): Shape {
  const { name, inputs, attributes } = use;
  const { units, returnSequences, masked, initialState } = attributes;
  const [[steps = 0, ...others], ...rest] = inputs;
  if (others.length !== 1) {
    throw new UserError(
      `layer ${name}: needs a sequence [steps, features], and the input has shape ${formatShape(inputs[0])}; reshape it`,
    );
  }
  const wanted = [
    ...(masked ? [[steps]] : []),
    ...(initialState ? Array.from({ length: states }, () => [units]) : []),
  ];
  if (rest.length !== wanted.length || rest.some((shape, i) => !sameShape(shape, wanted[i] as Shape))) {
    const [has, needs] = [rest, wanted].map((shapes) => shapes.map(formatShape).join(' and ') || 'none');
    throw new UserError(
      `layer ${name}: its mask and initial state have shapes ${has}; they must have ${needs}`,
    );
  }
  return returnSequences ? [steps, units] : [units];
}

/** What stands beside the sequence among the inputs or their error terms: 0 where there is nothing. */
export function besides(
  { masked, initialState }: RecurrentAttributes,
  tensors: readonly number[],
): { readonly mask: number; readonly start: number; readonly startCell: number } {
  const [start = 0, startCell = 0] = initialState ? tensors.slice(masked ? 2 : 1) : [];
  return { mask: masked ? (tensors[1] as number) : 0, start, startCell };
}

/** The error term of a mask, a step function of it: flat almost everywhere. */
export function emitMaskError(to: KernelSink, rows: number, steps: number, dmask: number): void {
  if (dmask !== 0) to.emit('fill', { out: dmask, n: rows * steps, value: 0 });
}

/** A product over all steps of all rows: which rows, and the width of the gates. */
interface Gates {
  readonly rows: number;
  readonly size: SequenceSize;
  /** Gates of all units: columns of z. */
  readonly width: number;
  /** [rows, steps, width] */
  readonly z: number;
}

/** z = x W + b */
export function emitInputPart(
  to: KernelSink,
  { rows, size: { steps, features }, width, z }: Gates,
  input: { readonly x: number; readonly kernel: number; readonly bias: number },
): void {
  const product = { rows: rows * steps, inner: features, cols: width, activation: 0 };
  to.emit('matmul', { a: input.x, b: input.kernel, bias: input.bias, out: z, ...product });
}

/** dx = dz W^T, if it is wanted */
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

/** Sum of a^T dz over the places of a subtree, and sum of dz; each where it is wanted. `a` is [rows, steps, m]. */
export function emitPlaceSums(
  to: KernelSink,
  { rows, size: { steps }, width, z, leafRows }: Gates & { readonly leafRows: number },
  wanted: { readonly a: number; readonly m: number; readonly product: number; readonly bias: number },
): void {
  const place = { rows: rows * steps, leafRows: leafRows * steps, n: width };
  const { a, m, product, bias } = wanted;
  if (product !== 0) to.emit('treeMatmulTransposedA', { a, b: z, out: product, m, ...place });
  if (bias !== 0) to.emit('treeSumRows', { a: z, out: bias, ...place });
}
