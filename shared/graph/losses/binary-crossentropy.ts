/*
 * Binary cross-entropy of n logits z, each a yes or no of its own, with targets t from 0 to 1; p = sigmoid(z):
 *
 *     l = -(1/n) * sum_i (t_i ln p_i + (1 - t_i) ln(1 - p_i)) = (1/n) * sum_i (max(z_i, 0) - z_i t_i + ln(1 + e^-|z_i|))
 *     dz_i = (1/n) * (p_i - t_i) * scale
 *
 * `correct` is the part of the elements that are on the right side of 1/2.
 */
import { NoAttributes } from '../ops/op.js';
import { elementsOf } from '../shape.js';
import type { Loss, LossSettings } from './loss.js';

/**
 * Binary cross-entropy of logits: end the model with a dense layer, without a sigmoid.
 * @param options.target the field of the data that holds the targets, from 0 to 1, of the predictions' shape
 */
export function binaryCrossentropy({ target }: { target: string }): LossSettings {
  return { kind: 'binaryCrossentropy', target, attributes: {} };
}

export const binaryCrossentropyLoss: Loss<NoAttributes> = {
  attributes: NoAttributes,
  metrics: ['loss', 'correct'],
  target: (shape) => ({ dtype: 'f32', shape }),
  terms: () => 1,
  saved: () => 0,
  forward(to, { rows, shape, prediction, target, metrics }) {
    const [loss, correct] = metrics as [number, number];
    const size = { rows, cols: elementsOf(shape) };
    to.emit('binaryCrossEntropyForward', { logits: prediction, targets: target, loss, correct, ...size });
  },
  backward(to, { rows, shape, prediction, target, dPrediction, scale }) {
    const size = { rows, cols: elementsOf(shape), scale };
    to.emit('binaryCrossEntropyBackward', {
      logits: prediction,
      targets: target,
      dlogits: dPrediction,
      ...size,
    });
  },
};
