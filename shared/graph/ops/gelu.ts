/*
 * gelu in its exact form (Hendrycks, Gimpel 2016), with the normal distribution function F(x) = (1 + erf(x / sqrt 2)) / 2:
 *
 *     y = x F(x)      dx = (F(x) + x e^(-x^2 / 2) / sqrt(2 pi)) dy
 */
import { elementsOf } from '../shape.js';
import { ELEMENTWISE_OF_INPUT, type KernelOp, NoAttributes } from './op.js';

export const geluOp: KernelOp<NoAttributes> = {
  ...ELEMENTWISE_OF_INPUT,
  attributes: NoAttributes,
  forward(to, { rows, output, x, y }) {
    to.emit('geluForward', { x: x[0], y, n: rows * elementsOf(output) });
  },
  backward(to, { rows, output, x, dy, dx }) {
    to.emit('geluBackward', { x: x[0], dy, dx: dx[0], n: rows * elementsOf(output) });
  },
};
