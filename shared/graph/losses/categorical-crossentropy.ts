/*
 * Categorical cross-entropy of probabilities p (or of p = softmax(z) of logits z) with target probabilities t, along the
 * last axis; each position of a sequence is a separate term:
 *
 *     l = -sum_i t_i log p_i
 *
 *     of logits:         dz_i = (p_i * sum_k t_k - t_i) * scale
 *     of probabilities:  dp_i = -t_i / p_i * scale       with p clipped to [1e-7, 1 - 1e-7], as Keras does
 *
 * Label smoothing is in smoothing.ts. `correct` counts the positions where the largest p is where the largest t is.
 */

import * as v from 'valibot';
import { checkOptionNames } from '../../nearest.js';
import { lastOf, positionsOf } from '../shape.js';
import type { Loss, LossSettings } from './loss.js';
import { emitSmoothed, LabelSmoothing } from './smoothing.js';
import { type ClassWeightOptions, weightsOf } from './weights.js';

export const CrossentropyAttributes = v.strictObject({
  fromLogits: v.boolean(),
  labelSmoothing: LabelSmoothing,
});
type CrossentropyAttributes = v.InferOutput<typeof CrossentropyAttributes>;

/**
 * Cross-entropy with targets given as probabilities, such as one-hot vectors.
 *
 * @param options.target the field of the data that holds the targets, with the shape of the predictions
 * @param options.fromLogits whether predictions are logits; default: probabilities. A model whose output is a softmax
 * is always trained from the logits of that softmax
 * @param options.sampleWeight the field with a weight for each sample; see weights.ts
 * @param options.classWeights a weight for each class
 * @param options.labelSmoothing fraction of each target that is spread over all classes, at least 0 (the default) and below 1
 */
export function categoricalCrossentropy(
  options: { target: string; fromLogits?: boolean; labelSmoothing?: number } & ClassWeightOptions,
): LossSettings {
  checkOptionNames('categoricalCrossentropy()', options, [
    'target',
    'fromLogits',
    'labelSmoothing',
    'sampleWeight',
    'classWeights',
  ]);
  const { target, fromLogits = false, sampleWeight: _, classWeights: __, ...others } = options;
  const attributes = { fromLogits, ...others };
  return { kind: 'categoricalCrossentropy', target, attributes, ...weightsOf(options) };
}

export const categoricalCrossentropyLoss: Loss<CrossentropyAttributes> = {
  attributes: CrossentropyAttributes,
  metrics: () => ['loss', 'correct'],
  target: (shape) => ({ dtype: 'f32', shape }),
  terms: positionsOf,
  // For logits the probabilities; then the smoothed targets.
  saved: (shape, { fromLogits, labelSmoothing }) =>
    positionsOf(shape) * lastOf(shape) * (Number(fromLogits) + Number(labelSmoothing > 0)),
  forward(to, { rows, shape, attributes, prediction, target, saved, metrics }) {
    const [loss, correct] = metrics as [number, number];
    const size = { rows: rows * positionsOf(shape), cols: lastOf(shape) };
    const out = smoothedAt(saved, attributes, size);
    const targets = emitSmoothed(to, { from: target, out, ...size, smoothing: attributes.labelSmoothing });
    if (attributes.fromLogits) {
      const outputs = { probabilities: saved, loss, correct };
      to.emit('softmaxCrossEntropyForward', { logits: prediction, targets, ...outputs, ...size });
    } else {
      to.emit('crossEntropyForward', { p: prediction, targets, loss, correct, ...size });
    }
  },
  backward(to, { rows, shape, attributes, prediction, target, saved, dPrediction, scale }) {
    const size = { rows: rows * positionsOf(shape), cols: lastOf(shape), scale };
    const targets = attributes.labelSmoothing > 0 ? smoothedAt(saved, attributes, size) : target;
    if (attributes.fromLogits) {
      const dlogits = dPrediction;
      to.emit('softmaxCrossEntropyBackward', { probabilities: saved, targets, dlogits, ...size });
    } else {
      to.emit('crossEntropyBackward', { p: prediction, targets, dp: dPrediction, ...size });
    }
  },
};

/** The offset of the smoothed targets [rows, cols]: after the probabilities, if these are saved. */
function smoothedAt(
  saved: number,
  { fromLogits }: CrossentropyAttributes,
  { rows, cols }: { rows: number; cols: number },
): number {
  return saved + (fromLogits ? rows * cols * 4 : 0);
}
