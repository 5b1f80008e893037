/*
 * sqrt, element by element:  y = sqrt(x)      dx = dy / (2 sqrt(x)), for x > 0
 */
import { elementsOf } from '../shape.js';
import { ELEMENTWISE_OF_INPUT, type KernelOp, NoAttributes } from './op.js';

export const sqrtOp: KernelOp<NoAttributes> = {
  ...ELEMENTWISE_OF_INPUT,
  attributes: NoAttributes,
  errorTerm: 'emitted',
  domain: { has: (x) => x > 0, text: 'numbers above 0' },
  forward(to, { rows, output, x, y }) {
    to.emit('squareRoot', { out: y, a: x[0], n: rows * elementsOf(output) });
  },
  backward(to, { rows, output, x, dy, dx: [dx] }) {
    const n = rows * elementsOf(output);
    to.emit('reciprocalSquareRoot', { out: dx, a: x[0], n });
    to.emit('scaleVector', { out: dx, a: dx, n, factor: 0.5 });
    to.emit('multiplyVectors', { out: dx, a: dx, b: dy, n });
  },
};
