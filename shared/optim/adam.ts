/*
 * Adam (Kingma, Ba: "Adam: a method for stochastic optimization", 2015), with decoupled weight decay (Loshchilov, Hutter,
 * 2019: AdamW), as in PyTorch. g: gradient, w: weights; m, v: moving averages, initially 0; t: number of this step, from 1.
 *
 *     w = w - learningRate * weightDecay * w
 *     m = beta1 * m + (1 - beta1) * g
 *     v = beta2 * v + (1 - beta2) * g^2
 *     w = w - learningRate / (1 - beta1^t) * m / (sqrt(v / (1 - beta2^t)) + epsilon)
 */
import * as v from 'valibot';
import { optionsOf } from '../nearest.js';
import { AverageFactor, Decay, LearningRate, Positive, WeightAverage } from './check-settings.js';
import { exemptable, type PlainOptimizer } from './decay.js';
import type { Optimizer } from './optimizer.js';

export const AdamSettingsSchema = v.strictObject({
  name: v.literal('adam'),
  ema: WeightAverage,
  learningRate: LearningRate,
  beta1: AverageFactor,
  beta2: AverageFactor,
  epsilon: Positive,
  weightDecay: Decay,
});
export type AdamSettings = v.InferOutput<typeof AdamSettingsSchema>;

/** Settings of Adam; default: learning rate 0.001, beta1 0.9, beta2 0.999, epsilon 1e-7 (as in Keras), no decay. */
export function adam(options: Partial<Omit<AdamSettings, 'name'>> = {}): AdamSettings {
  return {
    name: 'adam',
    learningRate: 0.001,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-7,
    weightDecay: 0,
    ...optionsOf('adam()', options),
  };
}

/** Adam with decoupled weight decay (AdamW); default decay: 0.01, as in PyTorch. */
export function adamw(options: Partial<Omit<AdamSettings, 'name'>> = {}): AdamSettings {
  return adam({ weightDecay: 0.01, ...optionsOf('adamw()', options) });
}

/** The optimizer with these settings. Buffers: m, v. */
export function adamOptimizer({ beta1, beta2, epsilon, weightDecay }: AdamSettings): Optimizer {
  const optimizer: PlainOptimizer = {
    buffers: 2,
    init: () => ({ beta1Power: 1, beta2Power: 1 }),
    update(state, learningRate) {
      // Powers by repeated multiplication, which gives the same bits on every engine; Math.pow does not.
      const beta1Power = (state.beta1Power as number) * beta1;
      const beta2Power = (state.beta2Power as number) * beta2;
      const scalars = [
        learningRate / (1 - beta1Power),
        beta1,
        1 - beta1,
        beta2,
        1 - beta2,
        1 / (1 - beta2Power),
        epsilon,
        learningRate * weightDecay,
      ];
      return { state: { beta1Power, beta2Power }, scalars };
    },
    emit(to, { weights, gradient, buffers, n, scalars }) {
      const [m, v] = buffers as [number, number];
      to.emit('adamUpdate', { weights, gradient, m, v, n, scalars });
    },
  };
  return weightDecay === 0 ? { ...optimizer, hasDecay: false } : exemptable(optimizer, 7);
}
