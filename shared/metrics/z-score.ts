/**
 * By how many standard errors one way is better than another at the same tasks, on average:
 *
 *     z = mean(d) / (s / sqrt(n))      d = ours - theirs, task by task; s = standard deviation of d (n - 1)
 *
 * Chance alone brings 2 or more once in forty times. What makes a task hard for both leaves d alone, so a small lead is told
 * from chance sooner than by two errors of two means.
 *
 * @param ours score of each task
 * @param theirs as many, in the same order
 * @returns z; 0 where differences do not spread, as there is nothing to compare them with then
 */
export function zScore(ours: readonly number[], theirs: readonly number[]): number {
  const differences = ours.map((score, i) => score - (theirs[i] as number));
  const count = differences.length;
  const mean = meanOf(differences);
  const variance = differences.reduce((sum, d) => sum + (d - mean) ** 2, 0) / (count - 1);
  return variance > 0 ? mean / Math.sqrt(variance / count) : 0;
}

/** @returns the mean of scores; 0 where there are none */
export function meanOf(scores: readonly number[]): number {
  return scores.length === 0 ? 0 : scores.reduce((sum, score) => sum + score, 0) / scores.length;
}
