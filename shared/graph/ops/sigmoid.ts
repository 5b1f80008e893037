/*
 * sigmoid:  y = 1 / (1 + exp(-x))      dx = dy * y * (1 - y)
 */
import { elementsOf } from '../shape.js';
import { ELEMENTWISE_OF_OUTPUT, type KernelOp, type NoAttributes } from './op.js';

export const sigmoidOp: KernelOp<NoAttributes> = {
  ...ELEMENTWISE_OF_OUTPUT,
  forward(to, { rows, output, x, y }) {
    to.emit('sigmoidForward', { x: x[0], y, n: rows * elementsOf(output) });
  },
  backward(to, { rows, output, y, dy, dx }) {
    to.emit('sigmoidBackward', { y, dy, dx: dx[0], n: rows * elementsOf(output) });
  },
};
