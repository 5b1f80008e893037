/*
 * Categorical cross-entropy of probabilities p (or of p = softmax(z) of logits z) with target probabilities t, along the
 * last axis; each position of a sequence is a term of its own:
 *
 *     l = -sum_i t_i log p_i
 *
 *     of logits:         dz_i = (p_i * sum_k t_k - t_i) * scale
 *     of probabilities:  dp_i = -t_i / p_i * scale       with p clipped to [1e-7, 1 - 1e-7], as Keras does
 *
 * Label smoothing is in smoothing.ts. `correct` counts the positions where the largest p is where the largest t is.
 */
import * as v from 'valibot';
import { lastOf, positionsOf } from '../shape.js';
import type { Loss, LossSettings } from './loss.js';
import { emitSmoothed, LabelSmoothing } from './smoothing.js';

export const CrossentropyAttributes = v.strictObject({
  fromLogits: v.boolean(),
  labelSmoothing: LabelSmoothing,
});
type CrossentropyAttributes = v.InferOutput<typeof CrossentropyAttributes>;

/**
 * Cross-entropy with targets given as probabilities, such as one-hot vectors.
 *
 * @param options.target the field of the data that holds the targets, of the predictions' shape
 * @param options.fromLogits whether predictions are logits; default: probabilities. A model whose output is a softmax
 * is trained from that softmax's logits in any case
 * @param options.labelSmoothing part of each target that is spread over all classes, from 0 (the default) to less than 1
 */
export function categoricalCrossentropy(options: {
  target: string;
  fromLogits?: boolean;
  labelSmoothing?: number;
}): LossSettings {
  const { target, fromLogits = false, ...others } = options;
  return { kind: 'categoricalCrossentropy', target, attributes: { fromLogits, ...others } };
}

export const categoricalCrossentropyLoss: Loss<CrossentropyAttributes> = {
  attributes: CrossentropyAttributes,
  metrics: () => ['loss', 'correct'],
  target: (shape) => ({ dtype: 'f32', shape }),
  terms: positionsOf,
  // Of logits: the probabilities. Behind them the smoothed targets.
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

/** Where the smoothed targets of [rows, cols] lie: behind the probabilities, if those are kept. */
function smoothedAt(
  saved: number,
  { fromLogits }: CrossentropyAttributes,
  { rows, cols }: { rows: number; cols: number },
): number {
  return saved + (fromLogits ? rows * cols * 4 : 0);
}
