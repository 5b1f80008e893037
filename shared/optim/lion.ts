/*
 * Lion (Chen et al.: "Symbolic discovery of optimization algorithms", 2023), with decoupled decay. g: gradient, w: weights;
 * m: moving average, initially 0.
 *
 *     c = beta1 * m + (1 - beta1) * g
 *     w = w - learningRate * (sign(c) + weightDecay * w)
 *     m = beta2 * m + (1 - beta2) * g
 */
import * as v from 'valibot';
import { optionsOf } from '../nearest.js';
import { AverageFactor, Decay, LearningRate, WeightAverage } from './check-settings.js';
import { exemptable, type PlainOptimizer } from './decay.js';
import type { Optimizer } from './optimizer.js';

export const LionSettingsSchema = v.strictObject({
  name: v.literal('lion'),
  ema: WeightAverage,
  learningRate: LearningRate,
  beta1: AverageFactor,
  beta2: AverageFactor,
  weightDecay: Decay,
});
export type LionSettings = v.InferOutput<typeof LionSettingsSchema>;

/** Settings of Lion; default: learning rate 0.0001, beta1 0.9, beta2 0.99, no decay. */
export function lion(options: Partial<Omit<LionSettings, 'name'>> = {}): LionSettings {
  return {
    name: 'lion',
    learningRate: 0.0001,
    beta1: 0.9,
    beta2: 0.99,
    weightDecay: 0,
    ...optionsOf('lion()', options),
  };
}

/** The optimizer with these settings. Buffer: m. */
export function lionOptimizer({ beta1, beta2, weightDecay }: LionSettings): Optimizer {
  const optimizer: PlainOptimizer = {
    buffers: 1,
    init: () => ({}),
    update: (state, learningRate) => ({
      state,
      scalars: [learningRate, beta1, 1 - beta1, beta2, 1 - beta2, learningRate * weightDecay],
    }),
    emit(to, { weights, gradient, buffers, n, scalars }) {
      to.emit('lionUpdate', { weights, gradient, m: buffers[0] as number, n, scalars });
    },
  };
  return weightDecay === 0 ? { ...optimizer, hasDecay: false } : exemptable(optimizer, 5);
}
