/** Length of the longest n-grams. */
const ORDER = 4;

/**
 * Corpus BLEU-4 with one reference for each sentence (Papineni, Roukos, Ward, Zhu: "BLEU: a method for automatic
 * evaluation of machine translation", 2002):
 *
 *     BLEU = min(1, exp(1 - r / c)) * (p_1 p_2 p_3 p_4)^(1/4)
 *
 * c and r are the numbers of words in predictions and references, p_n the share of the n-grams of predictions that are in the
 * reference of the same sentence, each counted at most as often as there. All counts are summed over the corpus before the
 * divisions.
 * @param pairs words of predictions and of references
 * @returns from 0 to 1; 0 if no n-gram of some length is right
 */
export function bleu(
  pairs: readonly { predicted: readonly string[]; reference: readonly string[] }[],
): number {
  const right = new Array<number>(ORDER).fill(0);
  const all = new Array<number>(ORDER).fill(0);
  let predictedWords = 0;
  let referenceWords = 0;
  for (const { predicted, reference } of pairs) {
    predictedWords += predicted.length;
    referenceWords += reference.length;
    for (let n = 1; n <= ORDER; n++) {
      const inReference = countGrams(reference, n);
      for (const [gram, count] of countGrams(predicted, n)) {
        all[n - 1] = (all[n - 1] as number) + count;
        right[n - 1] = (right[n - 1] as number) + Math.min(count, inReference.get(gram) ?? 0);
      }
    }
  }
  if (right.includes(0)) return 0;
  const precision = right.reduce((product, count, i) => product * (count / (all[i] as number)), 1);
  const brevity = predictedWords >= referenceWords ? 1 : Math.exp(1 - referenceWords / predictedWords);
  return brevity * Math.sqrt(Math.sqrt(precision));
}

/** How often each n-gram occurs. */
function countGrams(words: readonly string[], n: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + n <= words.length; i++) {
    const gram = words.slice(i, i + n).join(' ');
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}
