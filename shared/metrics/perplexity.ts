/**
 * How many symbols a model hesitates between, on average: e to its mean cross-entropy in nats (Jelinek et al. 1977). 1 is
 * certainty; whoever guesses among n is at n.
 */
export function perplexity(meanLoss: number): number {
  return Math.exp(meanLoss);
}
