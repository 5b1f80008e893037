/**
 * The paired difference of two methods on the same tasks, in standard errors:
 *
 *     z = mean(d) / (s / sqrt(n))      d = scores - baseline for each task; s = standard deviation of d (n - 1)
 *
 * By chance alone z is 2 or more once in forty times. Differences in difficulty between tasks do not affect d, so a small
 * difference is significant earlier than when two means are compared.
 *
 * @param scores the score of each task
 * @param baseline the scores of the other method, in the same order
 * @returns z; 0 if all differences are equal, because there is no standard error then
 */
export function zScore(scores: readonly number[], baseline: readonly number[]): number {
  const differences = scores.map((score, i) => score - (baseline[i] as number));
  const count = differences.length;
  const mean = meanOf(differences);
  const variance = differences.reduce((sum, d) => sum + (d - mean) ** 2, 0) / (count - 1);
  return variance > 0 ? mean / Math.sqrt(variance / count) : 0;
}

/** @returns the mean of scores; 0 without scores */
export function meanOf(scores: readonly number[]): number {
  return scores.length === 0 ? 0 : scores.reduce((sum, score) => sum + score, 0) / scores.length;
}
