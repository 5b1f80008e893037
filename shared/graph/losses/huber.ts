/*
 * The loss of Huber ("Robust estimation of a location parameter", 1964) over the n elements of a prediction y with target
 * t: a square near 0 and a straight line further out, so that a few wild targets do not decide everything.
 *
 *     d_i = |y_i - t_i|      l = (1/n) * sum_i (d_i <= delta ? d_i^2 / 2 : delta * (d_i - delta / 2))
 *     dy_i = (1/n) * (y_i - t_i, no further from 0 than delta) * scale
 */
import * as v from 'valibot';
import { elementsOf } from '../shape.js';
import type { Loss, LossSettings } from './loss.js';

const HuberAttributes = v.strictObject({
  delta: v.pipe(
    v.number(),
    v.check((delta) => delta > 0 && Math.fround(delta) === delta, 'is no positive float32'),
  ),
});
export type HuberAttributes = v.InferOutput<typeof HuberAttributes>;

/**
 * Huber's loss.
 * @param options.target the field of the data that predictions are compared with
 * @param options.delta where the straight line begins; default: 1
 */
export function huber({ target, delta = 1 }: { target: string; delta?: number }): LossSettings {
  return { kind: 'huber', target, attributes: { delta: Math.fround(delta) } };
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
