/**
 * For each sample the place of its true class among all, the likeliest first: 0 where the network is right. Of classes that
 * are equally likely the one with the lower number comes first, as when the likeliest is chosen.
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

/** Top-k accuracy: the part of the samples whose true class is among the k likeliest. @param ranks of truthRanks */
export function topKAccuracy(ranks: Uint32Array, k: number): number {
  return ranks.reduce((count, rank) => count + (rank < k ? 1 : 0), 0) / ranks.length;
}
