/*
 * Adagrad (Duchi, Hazan, Singer: "Adaptive subgradient methods", 2011) as PyTorch defines it. g: gradient, w: weights;
 * v: sum of squares, from 0.
 *
 *     g = g + weightDecay * w
 *     v = v + g^2
 *     w = w - learningRate * g / (sqrt(v) + epsilon)
 */
import * as v from 'valibot';
import { exemptable, type PlainOptimizer } from './decay.js';
import { Decay, LearningRate, Positive } from './numbers.js';
import type { Optimizer } from './optimizer.js';

export const AdagradSettingsSchema = v.strictObject({
  name: v.literal('adagrad'),
  learningRate: LearningRate,
  epsilon: Positive,
  weightDecay: Decay,
});
export type AdagradSettings = v.InferOutput<typeof AdagradSettingsSchema>;

/** Settings of Adagrad; default (as PyTorch): learning rate 0.01, epsilon 1e-10, no decay. */
export function adagrad(options: Partial<Omit<AdagradSettings, 'name'>> = {}): AdagradSettings {
  return { name: 'adagrad', learningRate: 0.01, epsilon: 1e-10, weightDecay: 0, ...options };
}

/** The optimizer that these settings describe. Slot: v. */
export function adagradOptimizer({ epsilon, weightDecay }: AdagradSettings): Optimizer {
  const optimizer: PlainOptimizer = {
    slots: 1,
    init: () => ({}),
    update: (state, learningRate) => ({ state, scalars: [learningRate, epsilon, weightDecay] }),
    emit(to, { weights, gradient, slots, n, scalars }) {
      to.emit('adagradUpdate', { weights, gradient, v: slots[0] as number, n, scalars });
    },
  };
  return weightDecay === 0 ? { ...optimizer, hasDecay: false } : exemptable(optimizer, 2);
}
