import { UserError } from '../../errors.js';
import { formatShape, type Shape, sameShape } from '../shape.js';
import type { OpUse } from './op.js';

/**
 * The shape rule of ops that combine inputs element by element: all inputs and the output have the same shape.
 * @throws UserError when two inputs differ
 */
export function commonShape({ name, inputs: [first, ...others] }: OpUse<unknown>): Shape {
  const other = others.find((shape) => !sameShape(shape, first));
  if (other !== undefined) {
    throw new UserError(
      `layer ${name}: inputs of shapes ${formatShape(first)} and ${formatShape(other)} do not match; ` +
        'reshape them to the same shape first',
    );
  }
  return first;
}
