/*
 * Translation word by word, which a translator that understands more has to beat: IBM model 1 (Brown, Della Pietra,
 * Della Pietra, Mercer: "The mathematics of statistical machine translation", 1993), which learns out of sentence pairs
 * alone how likely each word becomes another.
 */

/** Words of a sentence, and of its translation. */
export interface WordPair {
  readonly source: readonly string[];
  readonly target: readonly string[];
}

/**
 * For each word, its likeliest translation by model 1, after `rounds` of expectation and maximisation.
 * @returns of equals, the one met first
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
