/*
 * Stochastic gradient descent with momentum, as in PyTorch (g: gradient, w: weights, m: velocity, initially 0):
 *
 *     g = g + weightDecay * w
 *     m = momentum * m + g
 *     w = w - learningRate * m                      or, with Nesterov:  w = w - learningRate * (g + momentum * m)
 */
import * as v from 'valibot';
import { optionsOf } from '../nearest.js';
import { AverageFactor, Decay, LearningRate, WeightAverage } from './check-settings.js';
import { exemptable, type PlainOptimizer } from './decay.js';
import type { Optimizer } from './optimizer.js';

export const SgdSettingsSchema = v.strictObject({
  name: v.literal('sgd'),
  ema: WeightAverage,
  learningRate: LearningRate,
  momentum: AverageFactor,
  nesterov: v.boolean(),
  weightDecay: Decay,
});
export type SgdSettings = v.InferOutput<typeof SgdSettingsSchema>;

/** Settings of SGD; default: learning rate 0.01, no momentum, no decay. */
export function sgd(options: Partial<Omit<SgdSettings, 'name'>> = {}): SgdSettings {
  return {
    name: 'sgd',
    learningRate: 0.01,
    momentum: 0,
    nesterov: false,
    weightDecay: 0,
    ...optionsOf('sgd()', options),
  };
}

/** The optimizer with these settings. Buffer: the velocity. */
export function sgdOptimizer({ momentum, nesterov, weightDecay }: SgdSettings): Optimizer {
  const optimizer: PlainOptimizer = {
    buffers: 1,
    init: () => ({}),
    update: (state, learningRate) => ({
      state,
      scalars: [learningRate, momentum, nesterov ? 1 : 0, weightDecay],
    }),
    emit(to, { weights, gradient, buffers, n, scalars }) {
      to.emit('sgdUpdate', { weights, gradient, momentum: buffers[0] as number, n, scalars });
    },
  };
  return weightDecay === 0 ? { ...optimizer, hasDecay: false } : exemptable(optimizer, 3);
}
