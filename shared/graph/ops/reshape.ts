/*
 * reshape:  y = x, the same elements in the same order with another shape      dx = dy
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { DIMENSIONS_MAX, elementsOf, formatShape } from '../shape.js';
import { Size, type ViewOp } from './op.js';

const ReshapeAttributes = v.strictObject({ shape: v.pipe(v.array(Size), v.maxLength(DIMENSIONS_MAX)) });
export type ReshapeAttributes = v.InferOutput<typeof ReshapeAttributes>;

export const reshapeOp: ViewOp<ReshapeAttributes> = {
  kind: 'view',
  attributes: ReshapeAttributes,
  arity: { min: 1, max: 1 },
  shape({ name, inputs: [input], attributes: { shape } }) {
    if (elementsOf(shape) !== elementsOf(input)) {
      throw new UserError(
        `layer ${name}: an input of shape ${formatShape(input)} (${elementsOf(input)} elements) cannot be reshaped to ` +
          `${formatShape(shape)} (${elementsOf(shape)}); choose a shape with the same number of elements`,
      );
    }
    return shape;
  },
};
