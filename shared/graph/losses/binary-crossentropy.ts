/*
 * Binary cross-entropy of n logits z, each a yes or no of its own, with targets t from 0 to 1; p = sigmoid(z):
 *
 *     l = -(1/n) * sum_i (t_i ln p_i + (1 - t_i) ln(1 - p_i)) = (1/n) * sum_i (max(z_i, 0) - z_i t_i + ln(1 + e^-|z_i|))
 *     dz_i = (1/n) * (p_i - t_i) * scale
 *
 * `correct` is the part of the elements that are on the right side of 1/2.
 */
import * as v from 'valibot';
import { elementsOf } from '../shape.js';
import type { Loss, LossSettings } from './loss.js';
import { emitSmoothed, LabelSmoothing } from './smoothing.js';

const BinaryAttributes = v.strictObject({ labelSmoothing: LabelSmoothing });
type BinaryAttributes = v.InferOutput<typeof BinaryAttributes>;
/** Yes and no: what smoothing takes off one is shared by both. */
const CLASSES = 2;

/**
 * Binary cross-entropy: end the model with a dense layer, whose numbers are logits, or with a sigmoid behind it.
 * @param options.target the field of the data that holds the targets, from 0 to 1, of the predictions' shape
 * @param options.labelSmoothing how far targets are drawn towards 1/2: t becomes (1 - e) t + e / 2
 */
export function binaryCrossentropy(options: { target: string; labelSmoothing?: number }): LossSettings {
  const { target, ...attributes } = options;
  return { kind: 'binaryCrossentropy', target, attributes };
}

export const binaryCrossentropyLoss: Loss<BinaryAttributes> = {
  attributes: BinaryAttributes,
  metrics: () => ['loss', 'correct'],
  target: (shape) => ({ dtype: 'f32', shape }),
  terms: () => 1,
  // The smoothed targets.
  saved: (shape, { labelSmoothing }) => (labelSmoothing > 0 ? elementsOf(shape) : 0),
  forward(to, { rows, shape, attributes, prediction, target, saved, metrics }) {
    const [loss, correct] = metrics as [number, number];
    const size = { rows, cols: elementsOf(shape) };
    const smoothing = attributes.labelSmoothing;
    const targets = emitSmoothed(to, { from: target, out: saved, ...size, smoothing, classes: CLASSES });
    to.emit('binaryCrossEntropyForward', { logits: prediction, targets, loss, correct, ...size });
  },
  backward(to, { rows, shape, attributes, prediction, target, saved, dPrediction, scale }) {
    const size = { rows, cols: elementsOf(shape), scale };
    const targets = attributes.labelSmoothing > 0 ? saved : target;
    to.emit('binaryCrossEntropyBackward', { logits: prediction, targets, dlogits: dPrediction, ...size });
  },
};
