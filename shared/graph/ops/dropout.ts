/*
 * dropout:  y = kept ? x / p : 0      dx = kept ? dy / p : 0      p: the share that is kept
 *
 * Which elements are kept is drawn for each sample and step; evaluation and prediction know nothing of it. Sixteen bits
 * decide, so p is the multiple of 2^-16 nearest to 1 - rate, and the scale is exactly its inverse.
 *
 * Srivastava et al.: "Dropout: a simple way to prevent neural networks from overfitting" (2014).
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { elementsOf, formatShape, type Shape } from '../shape.js';
import { chanceOf } from './chance.js';
import { type KernelOp, WITHOUT_PARAMETERS } from './op.js';

const DropoutAttributes = v.strictObject({
  /** The share that is dropped. */
  rate: v.pipe(v.number(), v.minValue(0), v.ltValue(1)),
  /** So many of the first axes share one mask: 1 for a sequence of which all steps drop the same. */
  sharedAxes: v.pipe(v.number(), v.integer(), v.minValue(0)),
});
export type DropoutAttributes = v.InferOutput<typeof DropoutAttributes>;

/** What sixteen bits can say. */
const CHANCES = 2 ** 16;

export const dropoutOp: KernelOp<DropoutAttributes> = {
  ...WITHOUT_PARAMETERS,
  attributes: DropoutAttributes,
  arity: { min: 1, max: 1 },
  shape({ name, inputs: [shape], attributes: { sharedAxes } }) {
    if (sharedAxes < shape.length || sharedAxes === 0) return shape;
    throw new UserError(
      `layer ${name}: a mask cannot be shared over ${sharedAxes} axes of shape ${formatShape(shape)}; ` +
        'it needs an axis of its own',
    );
  },
  backwardReads: { inputs: false, output: false },
  /** A bit for each element. */
  saved: ({ inputs, attributes }) => [Math.ceil(partsOf(inputs[0], attributes).elements / 32)],
  errorTerm: 'replaced',
  trainingOnly: true,
  forward(to, call) {
    const { output, attributes, x, y, saved } = call;
    to.emit('dropoutForward', {
      x: x[0],
      y,
      mask: saved[0] as number,
      ...chanceOf('dropout', call),
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

/** A sample as stretches that share one mask. */
function partsOf(shape: Shape, { sharedAxes }: DropoutAttributes): { repeats: number; elements: number } {
  return { repeats: elementsOf(shape.slice(0, sharedAxes)), elements: elementsOf(shape.slice(sharedAxes)) };
}

function sharesOf({ rate }: DropoutAttributes): { dropped: number; scale: number } {
  const dropped = Math.min(Math.round(rate * CHANCES), CHANCES - 1);
  return { dropped, scale: CHANCES / (CHANCES - dropped) };
}
