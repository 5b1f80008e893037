/**
 * ROUGE-L (Lin: "ROUGE: a package for automatic evaluation of summaries", 2004), as F1: with L the words of the longest
 * common subsequence of what was said and its reference,
 *
 *     P = L / words said      R = L / words of the reference      F1 = 2 P R / (P + R)
 *
 * @param said words
 * @param reference words that should have been said
 * @returns F1, from 0 to 1; 0 without a common word. That of many texts is the mean of theirs.
 */
export function rougeL(said: readonly string[], reference: readonly string[]): number {
  const words = said.length + reference.length;
  // 2 P R / (P + R) with P = L / a and R = L / b.
  return words === 0 ? 0 : (2 * longestCommonSubsequence(said, reference)) / words;
}

/** Length of the longest sequence that both contain in this order, with anything between. */
function longestCommonSubsequence(a: readonly string[], b: readonly string[]): number {
  // Of the words of `a` so far and the first j of `b`.
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
