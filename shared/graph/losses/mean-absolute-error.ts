/*
 * Mean absolute error over the n elements of a prediction y with target t:
 *
 *     l = (1/n) * sum_i |y_i - t_i|      dy_i = (1/n) * sign(y_i - t_i) * scale      sign(0) = 0
 */
import { checkOptionNames } from '../../nearest.js';
import { NoAttributes } from '../ops/op.js';
import { elementsOf } from '../shape.js';
import type { Loss, LossSettings } from './loss.js';
import { type SampleWeightOptions, weightsOf } from './weights.js';

/**
 * Mean absolute error.
 * @param options.target the field of the data that predictions are compared with
 * @param options.sampleWeight the field with a weight for each sample; see weights.ts
 */
export function meanAbsoluteError(options: { target: string } & SampleWeightOptions): LossSettings {
  checkOptionNames('meanAbsoluteError()', options, ['target', 'sampleWeight']);
  const { target } = options;
  return { kind: 'meanAbsoluteError', target, attributes: {}, ...weightsOf(options) };
}

export const meanAbsoluteErrorLoss: Loss<NoAttributes> = {
  attributes: NoAttributes,
  metrics: () => ['loss'],
  target: (shape) => ({ dtype: 'f32', shape }),
  terms: () => 1,
  saved: () => 0,
  forward(to, { rows, shape, prediction, target, metrics }) {
    const [loss] = metrics as [number];
    const size = { rows, cols: elementsOf(shape) };
    to.emit('meanAbsoluteErrorForward', { y: prediction, targets: target, loss, ...size });
  },
  backward(to, { rows, shape, prediction, target, dPrediction, scale }) {
    const size = { rows, cols: elementsOf(shape), scale };
    to.emit('meanAbsoluteErrorBackward', { y: prediction, targets: target, dy: dPrediction, ...size });
  },
};
