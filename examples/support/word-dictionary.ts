/*
 * Word-by-word translation, the baseline of a translator: IBM model 1 (Brown, Della Pietra, Della Pietra, Mercer: "The
 * mathematics of statistical machine translation", 1993), which learns translation probabilities of words from sentence
 * pairs alone.
 */

/** The words of a sentence and of its translation. */
export interface WordPair {
  readonly source: readonly string[];
  readonly target: readonly string[];
}

/**
 * Learns the likeliest translation of each word by model 1, in `rounds` of expectation maximisation. The first of equals
 * wins.
 */
export function learnDictionary(pairs: readonly WordPair[], rounds = 5): Map<string, string> {
  const cells = new Map<string, Map<string, number>>();
  for (const { source, target } of pairs) {
    for (const word of source) {
      const row = cells.get(word) ?? new Map<string, number>();
      cells.set(word, row);
      for (const other of target) if (!row.has(other)) row.set(other, 1);
    }
  }
  const rowOf = (word: string) => cells.get(word) as Map<string, number>;
  for (let round = 0; round < rounds; round++) {
    const expected = new Map<string, Map<string, number>>();
    for (const { source, target } of pairs) {
      for (const other of target) {
        const total = source.reduce((sum, word) => sum + (rowOf(word).get(other) as number), 0);
        for (const word of source) {
          const row = expected.get(word) ?? new Map<string, number>();
          expected.set(word, row);
          row.set(other, (row.get(other) ?? 0) + (rowOf(word).get(other) as number) / total);
        }
      }
    }
    for (const [word, counts] of expected) {
      const total = Array.from(counts.values()).reduce((sum, count) => sum + count, 0);
      for (const [other, count] of counts) rowOf(word).set(other, count / total);
    }
  }
  return new Map(Array.from(cells, ([word, row]) => [word, likeliest(row)]));
}

function likeliest(row: ReadonlyMap<string, number>): string {
  let best = '';
  let most = 0;
  for (const [word, share] of row) if (share > most) [best, most] = [word, share];
  return best;
}
