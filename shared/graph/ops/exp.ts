/*
 * exp, element by element:  y = e^x      dx = y dy
 */
import { elementsOf } from '../shape.js';
import { ELEMENTWISE_OF_OUTPUT, type KernelOp, type NoAttributes } from './op.js';

export const expOp: KernelOp<NoAttributes> = {
  ...ELEMENTWISE_OF_OUTPUT,
  // e^88.72 is close to the largest float.
  domain: { has: (x) => x <= 88.72, text: 'numbers up to 88.72' },
  forward(to, { rows, output, x, y }) {
    to.emit('exponential', { out: y, a: x[0], n: rows * elementsOf(output) });
  },
  backward(to, { rows, output, y, dy, dx }) {
    to.emit('multiplyVectors', { out: dx[0], a: dy, b: y, n: rows * elementsOf(output) });
  },
};
