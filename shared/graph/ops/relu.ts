/*
 * relu:  y = max(x, 0)      dx = dy where y > 0, else 0
 */
import { elementsOf } from '../shape.js';
import { ELEMENTWISE_OF_OUTPUT, type KernelOp, type NoAttributes } from './op.js';

export const reluOp: KernelOp<NoAttributes> = {
  ...ELEMENTWISE_OF_OUTPUT,
  forward(to, { rows, output, x, y }) {
    to.emit('reluForward', { x: x[0], y, n: rows * elementsOf(output) });
  },
  backward(to, { rows, output, y, dy, dx }) {
    to.emit('reluBackward', { y, dy, dx: dx[0], n: rows * elementsOf(output) });
  },
};
