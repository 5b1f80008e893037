/*
 * parameter:  y = p, for every sample      dp = sum over samples of dy      dx = 0
 *
 * A trained tensor as a value, for layers that are composed of ops. The input is only asked for its samples.
 */
import * as v from 'valibot';
import { DIMENSIONS_MAX, elementsOf } from '../shape.js';
import { type KernelOp, Size } from './op.js';

const ParameterAttributes = v.strictObject({ shape: v.pipe(v.array(Size), v.maxLength(DIMENSIONS_MAX)) });
export type ParameterAttributes = v.InferOutput<typeof ParameterAttributes>;

export const parameterOp: KernelOp<ParameterAttributes, 'value'> = {
  kind: 'kernel',
  attributes: ParameterAttributes,
  arity: { min: 1, max: 1 },
  roles: ['value'],
  parameters: ({ attributes: { shape } }) => ({ value: shape }),
  shape: ({ attributes: { shape } }) => shape,
  backwardReads: { inputs: false, output: false },
  errorTerm: 'emitted',
  forward(to, { rows, output, weights, y }) {
    to.emit('repeatRows', { a: weights.value, out: y, rows: 1, times: rows, width: elementsOf(output) });
  },
  backward(to, { rows, inputs: [input], dx }) {
    to.emit('fill', { out: dx[0], n: rows * elementsOf(input), value: 0 });
  },
  parameterGradients(to, { rows, leafRows, output, dy, gradients }) {
    to.emit('treeSumRows', { a: dy, out: gradients.value, rows, n: elementsOf(output), leafRows });
  },
};
