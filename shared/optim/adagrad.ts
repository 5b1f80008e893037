/*
 * Adagrad (Duchi, Hazan, Singer: "Adaptive subgradient methods", 2011) as in PyTorch. g: gradient, w: weights;
 * v: sum of squares, initially 0.
 *
 *     g = g + weightDecay * w
 *     v = v + g^2
 *     w = w - learningRate * g / (sqrt(v) + epsilon)
 */
import * as v from 'valibot';
import { optionsOf } from '../nearest.js';
import { Decay, LearningRate, Positive, WeightAverage } from './check-settings.js';
import { exemptable, type PlainOptimizer } from './decay.js';
import type { Optimizer } from './optimizer.js';

export const AdagradSettingsSchema = v.strictObject({
  name: v.literal('adagrad'),
  ema: WeightAverage,
  learningRate: LearningRate,
  epsilon: Positive,
  weightDecay: Decay,
});
export type AdagradSettings = v.InferOutput<typeof AdagradSettingsSchema>;

/** Settings of Adagrad; default (as in PyTorch): learning rate 0.01, epsilon 1e-10, no decay. */
export function adagrad(options: Partial<Omit<AdagradSettings, 'name'>> = {}): AdagradSettings {
  return {
    name: 'adagrad',
    learningRate: 0.01,
    epsilon: 1e-10,
    weightDecay: 0,
    ...optionsOf('adagrad()', options),
  };
}

/** The optimizer with these settings. Buffer: v. */
export function adagradOptimizer({ epsilon, weightDecay }: AdagradSettings): Optimizer {
  const optimizer: PlainOptimizer = {
    buffers: 1,
    init: () => ({}),
    update: (state, learningRate) => ({ state, scalars: [learningRate, epsilon, weightDecay] }),
    emit(to, { weights, gradient, buffers, n, scalars }) {
      to.emit('adagradUpdate', { weights, gradient, v: buffers[0] as number, n, scalars });
    },
  };
  return weightDecay === 0 ? { ...optimizer, hasDecay: false } : exemptable(optimizer, 2);
}
