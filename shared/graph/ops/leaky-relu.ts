/*
 * leakyRelu:  y = x where x > 0, else slope x      dx = dy where x > 0, else slope dy
 */
import * as v from 'valibot';
import { elementsOf } from '../shape.js';
import { ELEMENTWISE_OF_INPUT, type KernelOp } from './op.js';

const LeakyReluAttributes = v.strictObject({ slope: v.pipe(v.number(), v.finite()) });
export type LeakyReluAttributes = v.InferOutput<typeof LeakyReluAttributes>;

export const leakyReluOp: KernelOp<LeakyReluAttributes> = {
  ...ELEMENTWISE_OF_INPUT,
  attributes: LeakyReluAttributes,
  forward(to, { rows, output, attributes: { slope }, x, y }) {
    to.emit('leakyReluForward', { x: x[0], y, n: rows * elementsOf(output), slope });
  },
  backward(to, { rows, output, attributes: { slope }, x, dy, dx }) {
    to.emit('leakyReluBackward', { x: x[0], dy, dx: dx[0], n: rows * elementsOf(output), slope });
  },
};
