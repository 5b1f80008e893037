/**
 * The fewest insertions, deletions and replacements that turn one sequence into another (Levenshtein 1966), with memory for one
 * row of the shorter sequence (Wagner and Fischer 1974).
 */
export function editDistance<T>(a: ArrayLike<T>, b: ArrayLike<T>): number {
  if (a.length < b.length) return editDistance(b, a);
  /** Distances from the first i elements of `a` to each prefix of `b`. */
  const row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    let diagonal = row[0] as number;
    row[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const above = row[j] as number;
      const replaced = diagonal + (a[i - 1] === b[j - 1] ? 0 : 1);
      row[j] = Math.min(replaced, above + 1, (row[j - 1] as number) + 1);
      diagonal = above;
    }
  }
  return row[b.length] as number;
}

/**
 * Edits divided by the elements of the references: the character error rate of texts, the word error rate of lists of words.
 * 0 is perfect; it exceeds 1 when predictions are much too long.
 * @param pairs predictions and references; the references must not all be empty
 */
export function errorRate<T>(pairs: readonly { predicted: ArrayLike<T>; reference: ArrayLike<T> }[]): number {
  const edits = pairs.reduce((sum, { predicted, reference }) => sum + editDistance(predicted, reference), 0);
  return edits / pairs.reduce((sum, { reference }) => sum + reference.length, 0);
}
