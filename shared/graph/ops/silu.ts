/*
 * silu, with s = sigmoid(x):  y = x s      dx = (s + x s (1 - s)) dy
 */
import { elementsOf } from '../shape.js';
import { ELEMENTWISE_OF_INPUT, type KernelOp, NoAttributes } from './op.js';

export const siluOp: KernelOp<NoAttributes> = {
  ...ELEMENTWISE_OF_INPUT,
  attributes: NoAttributes,
  forward(to, { rows, output, x, y }) {
    to.emit('siluForward', { x: x[0], y, n: rows * elementsOf(output) });
  },
  backward(to, { rows, output, x, dy, dx }) {
    to.emit('siluBackward', { x: x[0], dy, dx: dx[0], n: rows * elementsOf(output) });
  },
};
