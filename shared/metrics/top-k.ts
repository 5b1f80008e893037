/**
 * For each sample the rank of its true class by decreasing output: 0 if the prediction is right. Of classes with equal outputs
 * the one with the lower number comes first, as in argMax.
 * @param outputs [samples, classes]: logits or probabilities
 * @param truth the class number of each sample
 */
export function truthRanks(
  outputs: ArrayLike<number>,
  truth: ArrayLike<number>,
  classes: number,
): Uint32Array {
  return Uint32Array.from({ length: truth.length }, (_, sample) => {
    const at = sample * classes;
    const own = truth[sample] as number;
    const mine = outputs[at + own] as number;
    let before = 0;
    for (let k = 0; k < classes; k++) {
      const other = outputs[at + k] as number;
      before += other > mine || (other === mine && k < own) ? 1 : 0;
    }
    return before;
  });
}

/** Top-k accuracy: the share of the samples whose true class is among the k largest outputs. @param ranks of truthRanks */
export function topKAccuracy(ranks: Uint32Array, k: number): number {
  return ranks.reduce((count, rank) => count + (rank < k ? 1 : 0), 0) / ranks.length;
}
