/*
 * Stochastic gradient descent with momentum, as PyTorch defines it (g: gradient, w: weights, m: velocity, from 0):
 *
 *     g = g + weightDecay * w
 *     m = momentum * m + g
 *     w = w - learningRate * m                      or, after Nesterov:  w = w - learningRate * (g + momentum * m)
 */
import * as v from 'valibot';
import { exemptable, type PlainOptimizer } from './decay.js';
import { AverageFactor, Decay, LearningRate } from './numbers.js';
import type { Optimizer } from './optimizer.js';

export const SgdSettingsSchema = v.strictObject({
  name: v.literal('sgd'),
  learningRate: LearningRate,
  momentum: AverageFactor,
  nesterov: v.boolean(),
  weightDecay: Decay,
});
export type SgdSettings = v.InferOutput<typeof SgdSettingsSchema>;

/** Settings of SGD; default: learning rate 0.01, nothing else. */
export function sgd(options: Partial<Omit<SgdSettings, 'name'>> = {}): SgdSettings {
  return {
    name: 'sgd',
    learningRate: 0.01,
    momentum: 0,
    nesterov: false,
    weightDecay: 0,
    ...options,
  };
}

/** The optimizer that these settings describe. Slot: the velocity. */
export function sgdOptimizer({ momentum, nesterov, weightDecay }: SgdSettings): Optimizer {
  const optimizer: PlainOptimizer = {
    slots: 1,
    init: () => ({}),
    update: (state, learningRate) => ({
      state,
      scalars: [learningRate, momentum, nesterov ? 1 : 0, weightDecay],
    }),
    emit(to, { weights, gradient, slots, n, scalars }) {
      to.emit('sgdUpdate', { weights, gradient, momentum: slots[0] as number, n, scalars });
    },
  };
  return weightDecay === 0 ? { ...optimizer, hasDecay: false } : exemptable(optimizer, 3);
}
