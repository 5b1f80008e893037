import type { Optimizer } from './optimizer.js';

/** Where the scalars without decay begin: behind as many as any optimizer has. */
const EXEMPT_AT = 8;

/** An optimizer that knows of no exemptions. */
export type PlainOptimizer = Omit<Optimizer, 'hasDecay'>;

/**
 * An optimizer whose weight decay can be kept from some weights: its scalars come twice, the second time with a decay of 0.
 * Decay is for matrices, whose entries multiply what passes through. A bias or the scale of a normalisation that is
 * pulled towards 0 only shifts what the layer computes (as GPT-2, nanoGPT and others train).
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
    emit(to, place) {
      const scalars = place.isExempt === true ? place.scalars + EXEMPT_AT * 4 : place.scalars;
      optimizer.emit(to, { ...place, scalars });
    },
  };
}
