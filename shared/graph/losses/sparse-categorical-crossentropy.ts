/*
 * Categorical cross-entropy with targets given as class numbers c: equal to categorical-crossentropy.ts for t = one-hot(c),
 * with smoothing e over the k classes.
 *
 *     l = -(1 - e) log p_c - e / k * sum_i log p_i
 *     of logits:  dz_i = (p_i - e / k - (1 - e) [i = c]) * scale      of probabilities:  dp_i = -t_i / p_i * scale
 *
 * A term whose c is ignoreIndex adds nothing to loss and gradient. The reported loss is the mean over the other terms. The
 * trained loss is the sum times 1 / (B * terms), because the number of other terms in the batch is only known at its end.
 */

import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { checkOptionNames } from '../../nearest.js';
import { lastOf, positionsOf } from '../shape.js';
import { CrossentropyAttributes } from './categorical-crossentropy.js';
import type { Loss, LossSettings } from './loss.js';
import { emitSmoothed } from './smoothing.js';
import { type ClassWeightOptions, weightsOf } from './weights.js';

const SparseAttributes = v.strictObject({
  ...CrossentropyAttributes.entries,
  ignoreIndex: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(-(2 ** 31) + 1), v.maxValue(2 ** 31 - 1)),
  ),
});
type SparseAttributes = v.InferOutput<typeof SparseAttributes>;

/** The ignored label where none is ignored: not a class number. */
const NO_LABEL = -(2 ** 31);

/**
 * Cross-entropy with targets given as class numbers.
 *
 * @param options.target the field of the data that holds the class numbers: one for each position of a prediction
 * @param options.fromLogits as for categoricalCrossentropy
 * @param options.labelSmoothing as for categoricalCrossentropy
 * @param options.sampleWeight the field with a weight for each sample; see weights.ts
 * @param options.classWeights a weight for each class
 * @param options.ignoreIndex class number of terms that are ignored, such as padding; it need not be a class. Only with logits
 */
export function sparseCategoricalCrossentropy(
  options: {
    target: string;
    fromLogits?: boolean;
    labelSmoothing?: number;
    ignoreIndex?: number;
  } & ClassWeightOptions,
): LossSettings {
  checkOptionNames('sparseCategoricalCrossentropy()', options, [
    'target',
    'fromLogits',
    'labelSmoothing',
    'ignoreIndex',
    'sampleWeight',
    'classWeights',
  ]);
  const { target, fromLogits = false, sampleWeight: _, classWeights: __, ...others } = options;
  const attributes = { fromLogits, ...others };
  return { kind: 'sparseCategoricalCrossentropy', target, attributes, ...weightsOf(options) };
}

export const sparseCategoricalCrossentropyLoss: Loss<SparseAttributes> = {
  attributes: SparseAttributes,
  metrics: ({ ignoreIndex }) =>
    ignoreIndex === undefined ? ['loss', 'correct'] : ['loss', 'correct', 'counted'],
  target(shape, { fromLogits, ignoreIndex }) {
    if (shape.length === 0) {
      throw new UserError(
        'sparse categorical cross-entropy needs one probability for each class, but the output is a single number; ' +
          'end the model with one unit for each class',
      );
    }
    if (ignoreIndex !== undefined && !fromLogits)
      throw new UserError(
        'ignoreIndex needs logits: end the model with a dense layer, and set fromLogits: true',
      );
    return { dtype: 'i32', shape: shape.slice(0, -1) };
  },
  terms: positionsOf,
  // For logits the probabilities; for probabilities the one-hot targets.
  saved: (shape) => positionsOf(shape) * lastOf(shape),
  forward(to, { rows, shape, attributes, prediction, target, saved, metrics }) {
    const { fromLogits, labelSmoothing: smoothing, ignoreIndex: ignored = NO_LABEL } = attributes;
    const [loss, correct, counted = 0] = metrics as [number, number, number?];
    const size = { rows: rows * positionsOf(shape), cols: lastOf(shape) };
    if (fromLogits) {
      const outputs = { probabilities: saved, loss, correct, counted };
      const call = { logits: prediction, labels: target, ...outputs, ...size, smoothing, ignored };
      to.emit('softmaxCrossEntropySparseForward', call);
    } else {
      to.emit('oneHot', { labels: target, out: saved, ...size });
      emitSmoothed(to, { from: saved, out: saved, ...size, smoothing });
      to.emit('crossEntropyForward', { p: prediction, targets: saved, loss, correct, ...size });
    }
  },
  backward(to, { rows, shape, attributes, prediction, target, saved, dPrediction, scale }) {
    const { fromLogits, labelSmoothing: smoothing, ignoreIndex: ignored = NO_LABEL } = attributes;
    const size = { rows: rows * positionsOf(shape), cols: lastOf(shape), scale };
    if (fromLogits) {
      const call = {
        probabilities: saved,
        labels: target,
        dlogits: dPrediction,
        ...size,
        smoothing,
        ignored,
      };
      to.emit('softmaxCrossEntropySparseBackward', call);
    } else {
      to.emit('crossEntropyBackward', { p: prediction, targets: saved, dp: dPrediction, ...size });
    }
  },
};
