import { exponential } from '../../shared/arithmetic/exponential.js';
import { philox, type Words } from '../../shared/data/philox.js';
import { argMax } from '../../shared/metrics/arg-max.js';

/** How the next symbol is drawn. */
export interface Sampling {
  /** Logits are divided by it; 0 takes the likeliest symbol. */
  readonly temperature: number;
  /** Only the k likeliest symbols can be drawn (Fan et al. 2018); undefined: all. */
  readonly topK: number | undefined;
  /** Only the likeliest symbols that together have this probability (Holtzman et al. 2020); 1: all. */
  readonly topP: number;
  /** 0 to 2^32 - 1. */
  readonly seed: number;
}

/**
 * Draws a symbol. The random number is a function of the seed and of the number of symbols drawn before, and the rest are
 * additions, multiplications and divisions of doubles in a fixed order: every machine draws the same.
 * @param drawn symbols drawn before
 */
export function drawSymbol(
  logits: Float32Array,
  { temperature, topK, topP, seed }: Sampling,
  drawn: number,
): number {
  if (temperature === 0) return argMax(logits);
  const most = logits[argMax(logits)] as number;
  const order = Array.from(logits, (_, symbol) => symbol).sort(
    (a, b) => (logits[b] as number) - (logits[a] as number) || a - b,
  );
  const kept = order.slice(0, topK);
  const weights = kept.map((symbol) => exponential(((logits[symbol] as number) - most) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let count = 0;
  let mass = 0;
  while (count < weights.length && (count === 0 || mass < topP * total)) mass += weights[count++] as number;
  const words: Words = [drawn, 0, 0, 0];
  philox(words, seed, 0);
  let left = ((words[0] + words[1] / 2 ** 32) / 2 ** 32) * mass;
  for (let i = 0; i < count; i++) {
    left -= weights[i] as number;
    if (left < 0) return kept[i] as number;
  }
  return kept[count - 1] as number;
}
