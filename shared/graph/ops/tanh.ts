/*
 * tanh:  y = tanh(x)      dx = dy * (1 - y^2)
 */
import { elementsOf } from '../shape.js';
import { ELEMENTWISE_OF_OUTPUT, type KernelOp, type NoAttributes } from './op.js';

export const tanhOp: KernelOp<NoAttributes> = {
  ...ELEMENTWISE_OF_OUTPUT,
  forward(to, { rows, output, x, y }) {
    to.emit('tanhForward', { x: x[0], y, n: rows * elementsOf(output) });
  },
  backward(to, { rows, output, y, dy, dx }) {
    to.emit('tanhBackward', { y, dy, dx: dx[0], n: rows * elementsOf(output) });
  },
};
