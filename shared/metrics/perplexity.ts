import { exponential } from '../arithmetic/exponential.js';
import { defineMetric, type Metric } from './metric.js';

/**
 * Perplexity: e to the power of the mean cross-entropy in nats (Jelinek et al. 1977). 1 means certainty; a uniform guess among n
 * symbols has perplexity n.
 */
export function perplexity(meanLoss: number): number {
  return exponential(meanLoss);
}

/** The perplexity of a model whose loss is a cross-entropy. */
export function lossPerplexity(): Metric {
  return defineMetric({
    name: 'perplexity',
    start: () => ({ add() {}, result: ({ loss = Number.NaN }) => perplexity(loss) }),
  });
}
