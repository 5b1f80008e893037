/*
 * log, element by element:  y = ln x      dx = dy / x, for x > 0
 */
import { elementsOf } from '../shape.js';
import { ELEMENTWISE_OF_INPUT, type KernelOp, NoAttributes } from './op.js';

export const logOp: KernelOp<NoAttributes> = {
  ...ELEMENTWISE_OF_INPUT,
  attributes: NoAttributes,
  errorTerm: 'emitted',
  domain: { has: (x) => x > 0, text: 'numbers above 0' },
  forward(to, { rows, output, x, y }) {
    to.emit('logarithm', { out: y, a: x[0], n: rows * elementsOf(output) });
  },
  backward(to, { rows, output, x, dy, dx: [dx] }) {
    const n = rows * elementsOf(output);
    // There is no division: 1 / x is the square of 1 / sqrt(x).
    to.emit('reciprocalSquareRoot', { out: dx, a: x[0], n });
    to.emit('multiplyVectors', { out: dx, a: dx, b: dx, n });
    to.emit('multiplyVectors', { out: dx, a: dx, b: dy, n });
  },
};
