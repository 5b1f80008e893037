/**
 * ROUGE-L (Lin: "ROUGE: a package for automatic evaluation of summaries", 2004), as F1: with L the length in words of the longest
 * common subsequence of a prediction and its reference,
 *
 *     P = L / words of the prediction      R = L / words of the reference      F1 = 2 P R / (P + R)
 *
 * @returns F1, from 0 to 1; 0 without a common word. The score of a corpus is the mean over its texts.
 */
export function rougeL(predicted: readonly string[], reference: readonly string[]): number {
  const words = predicted.length + reference.length;
  // 2 P R / (P + R) with P = L / a and R = L / b.
  return words === 0 ? 0 : (2 * longestCommonSubsequence(predicted, reference)) / words;
}

/** Length of the longest common subsequence. */
function longestCommonSubsequence(a: readonly string[], b: readonly string[]): number {
  // Lengths for the words of `a` so far and the first j words of `b`.
  let row = new Array<number>(b.length + 1).fill(0);
  for (const word of a) {
    const next = [0];
    for (let j = 1; j <= b.length; j++) {
      const best = Math.max(next[j - 1] as number, row[j] as number);
      next.push(word === b[j - 1] ? (row[j - 1] as number) + 1 : best);
    }
    row = next;
  }
  return row[b.length] as number;
}
