/*
 * logSoftmax, along the last axis:  y_i = x_i - ln(sum_k exp(x_k))      dx_i = dy_i - exp(y_i) * sum_k dy_k
 */
import { lastOf, positionsOf } from '../shape.js';
import { ELEMENTWISE_OF_OUTPUT, type KernelOp, type NoAttributes } from './op.js';

export const logSoftmaxOp: KernelOp<NoAttributes> = {
  ...ELEMENTWISE_OF_OUTPUT,
  forward(to, { rows, output, x, y }) {
    to.emit('logSoftmaxForward', { x: x[0], y, rows: rows * positionsOf(output), cols: lastOf(output) });
  },
  backward(to, { rows, output, y, dy, dx }) {
    const size = { rows: rows * positionsOf(output), cols: lastOf(output) };
    to.emit('logSoftmaxBackward', { y, dy, dx: dx[0], ...size });
  },
};
