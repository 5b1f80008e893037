/*
 * reciprocal, element by element, for x from 1e-19 to 1e19 in size:
 *
 *     y = 1 / x, computed as x r^2 with r = 1 / sqrt(x^2)      dx = -y^2 dy
 */
import { elementsOf } from '../shape.js';
import { ELEMENTWISE_OF_OUTPUT, type KernelOp, type NoAttributes } from './op.js';

export const reciprocalOp: KernelOp<NoAttributes> = {
  ...ELEMENTWISE_OF_OUTPUT,
  errorTerm: 'emitted',
  domain: {
    has: (x) => Math.abs(x) >= 1e-19 && Math.abs(x) <= 1e19,
    text: 'numbers from 1e-19 to 1e19 in size',
  },
  forward(to, { rows, output, x, y }) {
    const n = rows * elementsOf(output);
    to.emit('multiplyVectors', { out: y, a: x[0], b: x[0], n });
    to.emit('reciprocalSquareRoot', { out: y, a: y, n });
    to.emit('multiplyVectors', { out: y, a: y, b: y, n });
    to.emit('multiplyVectors', { out: y, a: y, b: x[0], n });
  },
  backward(to, { rows, output, y, dy, dx: [dx] }) {
    const n = rows * elementsOf(output);
    to.emit('multiplyVectors', { out: dx, a: y, b: y, n });
    to.emit('multiplyVectors', { out: dx, a: dx, b: dy, n });
    to.emit('scaleVector', { out: dx, a: dx, n, factor: -1 });
  },
};
