import type { Optimizer } from './optimizer.js';

/** Index of the first scalar of the set without decay: no optimizer has more scalars than this. */
const EXEMPT_AT = 8;

/** An optimizer without exemptions from weight decay. */
export type PlainOptimizer = Omit<Optimizer, 'hasDecay'>;

/**
 * An optimizer that can exempt weights from weight decay: its scalars are stored twice, the second time with a decay of 0.
 * Decay is meant for matrices. Biases and the scales of normalisations are exempt, as in GPT-2, nanoGPT and others: decaying
 * them only shifts the output of the layer.
 *
 * @param decayAt index of the decay among the scalars
 */
export function exemptable(optimizer: PlainOptimizer, decayAt: number): Optimizer {
  return {
    ...optimizer,
    hasDecay: true,
    update(before, learningRate) {
      const { state, scalars } = optimizer.update(before, learningRate);
      const padding = Array.from({ length: EXEMPT_AT - scalars.length }, () => 0);
      return { state, scalars: [...scalars, ...padding, ...scalars.map((x, i) => (i === decayAt ? 0 : x))] };
    },
    emit(to, call) {
      const scalars = call.isExempt === true ? call.scalars + EXEMPT_AT * 4 : call.scalars;
      optimizer.emit(to, { ...call, scalars });
    },
  };
}
