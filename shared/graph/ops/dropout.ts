/*
 * dropout:  y = kept ? x / p : 0      dx = kept ? dy / p : 0      p: the fraction that is kept
 *
 * The kept elements are drawn for each sample and step; evaluation and prediction have no dropout. Sixteen random bits decide,
 * so p is the multiple of 2^-16 nearest to 1 - rate, and the scale is exactly its inverse.
 *
 * Srivastava et al.: "Dropout: a simple way to prevent neural networks from overfitting" (2014).
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { elementsOf, formatShape, type Shape } from '../shape.js';
import { type KernelOp, WITHOUT_PARAMETERS } from './op.js';
import { randomStreamOf } from './random-stream.js';

const DropoutAttributes = v.strictObject({
  /** The fraction that is dropped. */
  rate: v.pipe(v.number(), v.minValue(0), v.ltValue(1)),
  /** Number of leading axes that share one mask: 1 for a sequence where all steps drop the same elements. */
  sharedAxes: v.pipe(v.number(), v.integer(), v.minValue(0)),
});
export type DropoutAttributes = v.InferOutput<typeof DropoutAttributes>;

/** Number of values of sixteen bits. */
const VALUES = 2 ** 16;

export const dropoutOp: KernelOp<DropoutAttributes> = {
  ...WITHOUT_PARAMETERS,
  attributes: DropoutAttributes,
  arity: { min: 1, max: 1 },
  shape({ name, inputs: [shape], attributes: { sharedAxes } }) {
    if (sharedAxes < shape.length || sharedAxes === 0) return shape;
    throw new UserError(
      `layer ${name}: a mask cannot be shared over ${sharedAxes} axes of shape ${formatShape(shape)}; ` +
        'at least one axis must not be shared',
    );
  },
  backwardReads: { inputs: false, output: false },
  /** One bit for each element. */
  saved: ({ inputs, attributes }) => [Math.ceil(partsOf(inputs[0], attributes).elements / 32)],
  errorTerm: 'replaced',
  trainingOnly: true,
  forward(to, call) {
    const { output, attributes, x, y, saved } = call;
    to.emit('dropoutForward', {
      x: x[0],
      y,
      mask: saved[0] as number,
      ...randomStreamOf('dropout', call),
      ...partsOf(output, attributes),
      ...sharesOf(attributes),
    });
  },
  backward(to, { rows, output, attributes, saved, dy, dx }) {
    const { scale } = sharesOf(attributes);
    to.emit('dropoutBackward', {
      mask: saved[0] as number,
      dy,
      dx: dx[0],
      rows,
      ...partsOf(output, attributes),
      scale,
    });
  },
};

/** A sample as `repeats` runs of elements that share one mask. */
function partsOf(shape: Shape, { sharedAxes }: DropoutAttributes): { repeats: number; elements: number } {
  return { repeats: elementsOf(shape.slice(0, sharedAxes)), elements: elementsOf(shape.slice(sharedAxes)) };
}

function sharesOf({ rate }: DropoutAttributes): { dropped: number; scale: number } {
  const dropped = Math.min(Math.round(rate * VALUES), VALUES - 1);
  return { dropped, scale: VALUES / (VALUES - dropped) };
}
