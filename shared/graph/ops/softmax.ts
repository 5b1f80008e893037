/*
 * softmax, along the last axis:  y_i = exp(x_i) / sum_k exp(x_k)      dx_i = y_i * (dy_i - sum_k y_k dy_k)
 */
import { lastOf, positionsOf } from '../shape.js';
import { type KernelOp, NoAttributes, WITHOUT_PARAMETERS } from './op.js';

export const softmaxOp: KernelOp<NoAttributes> = {
  ...WITHOUT_PARAMETERS,
  attributes: NoAttributes,
  arity: { min: 1, max: 1 },
  shape: ({ inputs }) => inputs[0],
  backwardReads: { inputs: false, output: true },
  errorTerm: 'emitted',
  forward(to, { rows, output, x, y }) {
    to.emit('softmaxForward', { x: x[0], y, rows: rows * positionsOf(output), cols: lastOf(output) });
  },
  backward(to, { rows, output, y, dy, dx }) {
    to.emit('softmaxBackward', { y, dy, dx: dx[0], rows: rows * positionsOf(output), cols: lastOf(output) });
  },
};
