import type { Predictor } from '../../shared/engine/passes/prediction.js';
import { rougeL } from '../../shared/metrics/rouge.js';
import { meanOf, zScore } from '../../shared/metrics/z-score.js';
import { rowsOf, spellNumbers, writeWords } from '../decoding/pieces.js';
import type { MeasuredData } from '../recipe.js';

/**
 * ROUGE-L of the summaries of test texts; ROUGE-L of the baseline, which is the first sentence of each text as far as the
 * model reads it; and by how many standard errors the model is better. Punctuation marks do not count as words.
 */
export async function measureSummaries(
  predictor: Predictor,
  { test, alphabet = [] }: Pick<MeasuredData, 'test' | 'alphabet'>,
): Promise<{ rougeL: number; leadRougeL: number; zScore: number }> {
  const spell = (numbers: ArrayLike<number>) => withoutMarks(spellNumbers(numbers, alphabet));
  const references = rowsOf(test, 'written').map(spell);
  const places = rowsOf(test, 'lead');
  const leads = rowsOf(test, 'read').map((numbers, i) =>
    spell(numbers.subarray(places[i]?.[0], places[i]?.[1])),
  );
  const written = (await writeWords(predictor, test, alphabet)).map(withoutMarks);
  const score = (texts: readonly string[][]) =>
    references.map((reference, i) => rougeL(texts[i] as string[], reference));
  const [ours, lead] = [score(written), score(leads)];
  return { rougeL: meanOf(ours), leadRougeL: meanOf(lead), zScore: zScore(ours, lead) };
}

const withoutMarks = (words: readonly string[]): string[] =>
  words.filter((word) => /[\p{L}\p{N}]/u.test(word));
