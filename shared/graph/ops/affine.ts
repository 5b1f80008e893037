/*
 * affine, element by element, with two constants:  y = factor x + summand      dx = factor dy
 */
import * as v from 'valibot';
import { elementsOf } from '../shape.js';
import { type KernelOp, WITHOUT_PARAMETERS } from './op.js';

const finite = v.pipe(v.number(), v.finite());
const AffineAttributes = v.strictObject({ factor: finite, summand: finite });
export type AffineAttributes = v.InferOutput<typeof AffineAttributes>;

export const affineOp: KernelOp<AffineAttributes> = {
  ...WITHOUT_PARAMETERS,
  attributes: AffineAttributes,
  arity: { min: 1, max: 1 },
  shape: ({ inputs: [shape] }) => shape,
  backwardReads: { inputs: false, output: false },
  errorTerm: 'replaced',
  forward(to, { rows, output, attributes, x, y }) {
    to.emit('affineVector', { out: y, a: x[0], n: rows * elementsOf(output), ...attributes });
  },
  backward(to, { rows, output, attributes: { factor }, dy, dx }) {
    to.emit('scaleVector', { out: dx[0], a: dy, n: rows * elementsOf(output), factor });
  },
};
