/*
 * Categorical cross-entropy with targets given as class numbers c: that of categorical-crossentropy.ts for t = one-hot(c).
 *
 *     l = -log p_c      of logits:  dz_i = (p_i - [i = c]) * scale      of probabilities:  dp_i = -[i = c] / p_i * scale
 */
import { UserError } from '../../errors.js';
import { lastOf, positionsOf } from '../shape.js';
import { CrossentropyAttributes } from './categorical-crossentropy.js';
import type { Loss, LossSettings } from './loss.js';

/**
 * Cross-entropy with targets given as class numbers.
 *
 * @param options.target the field of the data that holds the class numbers: one for each position of a prediction
 * @param options.fromLogits as for categoricalCrossentropy
 */
export function sparseCategoricalCrossentropy(options: {
  target: string;
  fromLogits?: boolean;
}): LossSettings {
  const { target, fromLogits = false } = options;
  return { kind: 'sparseCategoricalCrossentropy', target, attributes: { fromLogits } };
}

export const sparseCategoricalCrossentropyLoss: Loss<CrossentropyAttributes> = {
  attributes: CrossentropyAttributes,
  metrics: ['loss', 'correct'],
  target(shape) {
    if (shape.length === 0) {
      throw new UserError(
        'sparse categorical cross-entropy needs one probability for each class, and the output is a single number; ' +
          'end the model with one unit for each class',
      );
    }
    return { dtype: 'i32', shape: shape.slice(0, -1) };
  },
  terms: positionsOf,
  // Of logits: the probabilities. Of probabilities: the one-hot targets.
  saved: (shape) => positionsOf(shape) * lastOf(shape),
  forward(to, { rows, shape, attributes, prediction, target, saved, metrics }) {
    const [loss, correct] = metrics as [number, number];
    const size = { rows: rows * positionsOf(shape), cols: lastOf(shape) };
    if (attributes.fromLogits) {
      const outputs = { probabilities: saved, loss, correct };
      to.emit('softmaxCrossEntropySparseForward', {
        logits: prediction,
        labels: target,
        ...outputs,
        ...size,
      });
    } else {
      to.emit('oneHot', { labels: target, out: saved, ...size });
      to.emit('crossEntropyForward', { p: prediction, targets: saved, loss, correct, ...size });
    }
  },
  backward(to, { rows, shape, attributes, prediction, target, saved, dPrediction, scale }) {
    const size = { rows: rows * positionsOf(shape), cols: lastOf(shape), scale };
    if (attributes.fromLogits) {
      const dlogits = dPrediction;
      to.emit('softmaxCrossEntropySparseBackward', {
        probabilities: saved,
        labels: target,
        dlogits,
        ...size,
      });
    } else {
      to.emit('crossEntropyBackward', { p: prediction, targets: saved, dp: dPrediction, ...size });
    }
  },
};
