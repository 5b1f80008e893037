/*
 * RMSprop (Tieleman, Hinton: lecture 6.5 of "Neural networks for machine learning", 2012) as in PyTorch.
 * g: gradient, w: weights; v: moving average of squares, m: velocity, both initially 0.
 *
 *     g = g + weightDecay * w
 *     v = rho * v + (1 - rho) * g^2
 *     m = momentum * m + g / (sqrt(v) + epsilon)
 *     w = w - learningRate * m
 */
import * as v from 'valibot';
import { optionsOf } from '../nearest.js';
import { AverageFactor, Decay, LearningRate, Positive, WeightAverage } from './check-settings.js';
import { exemptable, type PlainOptimizer } from './decay.js';
import type { Optimizer } from './optimizer.js';

export const RmspropSettingsSchema = v.strictObject({
  name: v.literal('rmsprop'),
  ema: WeightAverage,
  learningRate: LearningRate,
  rho: AverageFactor,
  momentum: AverageFactor,
  epsilon: Positive,
  weightDecay: Decay,
});
export type RmspropSettings = v.InferOutput<typeof RmspropSettingsSchema>;

/** Settings of RMSprop; default (as in Keras): learning rate 0.001, rho 0.9, epsilon 1e-7, no momentum, no decay. */
export function rmsprop(options: Partial<Omit<RmspropSettings, 'name'>> = {}): RmspropSettings {
  return {
    name: 'rmsprop',
    learningRate: 0.001,
    rho: 0.9,
    momentum: 0,
    epsilon: 1e-7,
    weightDecay: 0,
    ...optionsOf('rmsprop()', options),
  };
}

/** The optimizer with these settings. Buffers: v, m. */
export function rmspropOptimizer({ rho, momentum, epsilon, weightDecay }: RmspropSettings): Optimizer {
  const optimizer: PlainOptimizer = {
    buffers: 2,
    init: () => ({}),
    update: (state, learningRate) => ({
      state,
      scalars: [learningRate, rho, 1 - rho, epsilon, momentum, weightDecay],
    }),
    emit(to, { weights, gradient, buffers, n, scalars }) {
      const [v, velocity] = buffers as [number, number];
      to.emit('rmspropUpdate', { weights, gradient, v, momentum: velocity, n, scalars });
    },
  };
  return weightDecay === 0 ? { ...optimizer, hasDecay: false } : exemptable(optimizer, 5);
}
