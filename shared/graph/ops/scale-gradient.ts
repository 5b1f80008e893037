/*
 * scaleGradient, element by element:  y = x      dx = factor dy
 *
 * With 0, nothing before it learns from what follows; with -1 it learns the opposite: gradient reversal (Ganin, Lempitsky 2015).
 */
import * as v from 'valibot';
import { elementsOf } from '../shape.js';
import { type KernelOp, WITHOUT_PARAMETERS } from './op.js';

const ScaleGradientAttributes = v.strictObject({ factor: v.pipe(v.number(), v.finite()) });
export type ScaleGradientAttributes = v.InferOutput<typeof ScaleGradientAttributes>;

export const scaleGradientOp: KernelOp<ScaleGradientAttributes> = {
  ...WITHOUT_PARAMETERS,
  attributes: ScaleGradientAttributes,
  arity: { min: 1, max: 1 },
  shape: ({ inputs: [shape] }) => shape,
  backwardReads: { inputs: false, output: false },
  errorTerm: 'replaced',
  forward(to, { rows, output, x, y }) {
    to.emit('copyVector', { out: y, a: x[0], n: rows * elementsOf(output) });
  },
  backward(to, { rows, output, attributes: { factor }, dy, dx }) {
    to.emit('scaleVector', { out: dx[0], a: dy, n: rows * elementsOf(output), factor });
  },
};
