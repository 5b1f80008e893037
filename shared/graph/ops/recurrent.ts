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
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { formatShape, type Shape } from '../shape.js';
import type { KernelSink, OpUse } from './op.js';

/** Most units: RECURRENT_UNITS of the kernels. */
const UNITS_MAX = 1024;

export const RecurrentAttributes = v.strictObject({
  units: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(UNITS_MAX)),
  /** An output at each step, or only after the last. */
  returnSequences: v.boolean(),
  /** From the sequence's end to its beginning; outputs lie at the places of their inputs. */
  reverse: v.boolean(),
});
export type RecurrentAttributes = v.InferOutput<typeof RecurrentAttributes>;

type Use = Pick<OpUse<RecurrentAttributes>, 'attributes' | 'inputs'>;

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

/** The shape rule of recurrent ops. */
export function recurrentShape({ name, inputs: [input], attributes }: OpUse<RecurrentAttributes>): Shape {
  if (input.length !== 2) {
    throw new UserError(
      `layer ${name}: needs a sequence [steps, features], and the input has shape ${formatShape(input)}; reshape it`,
    );
  }
  return attributes.returnSequences ? [input[0] as number, attributes.units] : [attributes.units];
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
