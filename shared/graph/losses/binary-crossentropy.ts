/*
 * Binary cross-entropy of n logits z, independent yes/no decisions, with targets t from 0 to 1; p = sigmoid(z):
 *
 *     l = -(1/n) * sum_i (t_i ln p_i + (1 - t_i) ln(1 - p_i)) = (1/n) * sum_i (max(z_i, 0) - z_i t_i + ln(1 + e^-|z_i|))
 *     dz_i = (1/n) * (p_i - t_i) * scale
 *
 * `correct` is the fraction of the elements that are on the right side of 1/2.
 */

import * as v from 'valibot';
import { checkOptionNames } from '../../nearest.js';
import { elementsOf } from '../shape.js';
import type { Loss, LossSettings } from './loss.js';
import { emitSmoothed, LabelSmoothing } from './smoothing.js';
import { type ClassWeightOptions, weightsOf } from './weights.js';

const BinaryAttributes = v.strictObject({ labelSmoothing: LabelSmoothing });
type BinaryAttributes = v.InferOutput<typeof BinaryAttributes>;
/** Yes and no: label smoothing distributes over both. */
const CLASSES = 2;

/**
 * Binary cross-entropy: end the model with a dense layer, whose outputs are logits, or with a sigmoid after it.
 * @param options.target the field of the data that holds the targets, from 0 to 1, with the shape of the predictions
 * @param options.sampleWeight the field with a weight for each sample; see weights.ts
 * @param options.classWeights the weights of no and of yes, for a single output
 * @param options.labelSmoothing moves targets towards 1/2: t becomes (1 - e) t + e / 2
 */
export function binaryCrossentropy(
  options: { target: string; labelSmoothing?: number } & ClassWeightOptions,
): LossSettings {
  checkOptionNames('binaryCrossentropy()', options, [
    'target',
    'labelSmoothing',
    'sampleWeight',
    'classWeights',
  ]);
  const { target, sampleWeight: _, classWeights: __, ...attributes } = options;
  return { kind: 'binaryCrossentropy', target, attributes, ...weightsOf(options) };
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
