/*
 * Mean squared error over the n elements of a prediction y with target t:
 *
 *     l = (1/n) * sum_i (y_i - t_i)^2      dy_i = (2/n) * (y_i - t_i) * scale
 */
import { checkOptionNames } from '../../nearest.js';
import { NoAttributes } from '../ops/op.js';
import { elementsOf } from '../shape.js';
import type { Loss, LossSettings } from './loss.js';
import { type SampleWeightOptions, weightsOf } from './weights.js';

/**
 * Mean squared error.
 * @param options.target the field of the data that predictions are compared with
 * @param options.sampleWeight the field with a weight for each sample; see weights.ts
 */
export function meanSquaredError(options: { target: string } & SampleWeightOptions): LossSettings {
  checkOptionNames('meanSquaredError()', options, ['target', 'sampleWeight']);
  const { target } = options;
  return { kind: 'meanSquaredError', target, attributes: {}, ...weightsOf(options) };
}

export const meanSquaredErrorLoss: Loss<NoAttributes> = {
  attributes: NoAttributes,
  metrics: () => ['loss'],
  target: (shape) => ({ dtype: 'f32', shape }),
  terms: () => 1,
  saved: () => 0,
  forward(to, { rows, shape, prediction, target, metrics }) {
    const [loss] = metrics as [number];
    to.emit('meanSquaredErrorForward', {
      y: prediction,
      targets: target,
      loss,
      rows,
      cols: elementsOf(shape),
    });
  },
  backward(to, { rows, shape, prediction, target, dPrediction, scale }) {
    const cols = elementsOf(shape);
    to.emit('meanSquaredErrorBackward', {
      y: prediction,
      targets: target,
      dy: dPrediction,
      rows,
      cols,
      scale,
    });
  },
};
