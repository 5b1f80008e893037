/*
 * The loss of Huber ("Robust estimation of a location parameter", 1964) over the n elements of a prediction y with target
 * t: quadratic near 0 and linear beyond delta, so that outliers among the targets have limited influence.
 *
 *     d_i = |y_i - t_i|      l = (1/n) * sum_i (d_i <= delta ? d_i^2 / 2 : delta * (d_i - delta / 2))
 *     dy_i = (1/n) * (y_i - t_i, limited to [-delta, delta]) * scale
 */

import * as v from 'valibot';
import { checkOptionNames } from '../../nearest.js';
import { elementsOf } from '../shape.js';
import type { Loss, LossSettings } from './loss.js';
import { type SampleWeightOptions, weightsOf } from './weights.js';

const HuberAttributes = v.strictObject({
  delta: v.pipe(
    v.number(),
    v.check((delta) => delta > 0 && Math.fround(delta) === delta, 'is not a positive float32'),
  ),
});
export type HuberAttributes = v.InferOutput<typeof HuberAttributes>;

/**
 * Huber's loss.
 * @param options.target the field of the data that predictions are compared with
 * @param options.sampleWeight the field with a weight for each sample; see weights.ts
 * @param options.delta where the linear part starts; default: 1
 */
export function huber(options: { target: string; delta?: number } & SampleWeightOptions): LossSettings {
  checkOptionNames('huber()', options, ['target', 'delta', 'sampleWeight']);
  const { target, delta = 1 } = options;
  return { kind: 'huber', target, attributes: { delta: Math.fround(delta) }, ...weightsOf(options) };
}

export const huberLoss: Loss<HuberAttributes> = {
  attributes: HuberAttributes,
  metrics: () => ['loss'],
  target: (shape) => ({ dtype: 'f32', shape }),
  terms: () => 1,
  saved: () => 0,
  forward(to, { rows, shape, attributes, prediction, target, metrics }) {
    const [loss] = metrics as [number];
    const size = { rows, cols: elementsOf(shape), delta: attributes.delta };
    to.emit('huberForward', { y: prediction, targets: target, loss, ...size });
  },
  backward(to, { rows, shape, attributes, prediction, target, dPrediction, scale }) {
    const size = { rows, cols: elementsOf(shape), delta: attributes.delta, scale };
    to.emit('huberBackward', { y: prediction, targets: target, dy: dPrediction, ...size });
  },
};
