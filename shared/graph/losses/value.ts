/*
 * A value of the model as its loss, composed of ops in the user's own file; see layers/composed-loss.ts. Its elements are the
 * terms l of a sample:
 *
 *     dvalue = scale
 */
import { NoAttributes } from '../ops/op.js';
import { elementsOf } from '../shape.js';
import type { Loss } from './loss.js';

export const valueLoss: Loss<NoAttributes> = {
  attributes: NoAttributes,
  metrics: () => ['loss'],
  target: () => undefined,
  terms: elementsOf,
  saved: () => 0,
  forward(to, { rows, shape, prediction, metrics }) {
    const [loss] = metrics as [number];
    to.emit('copyVector', { out: loss, a: prediction, n: rows * elementsOf(shape) });
  },
  backward(to, { rows, shape, dPrediction, scale }) {
    to.emit('fill', { out: dPrediction, n: rows * elementsOf(shape), value: scale });
  },
};
