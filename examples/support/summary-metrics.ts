import type { RecipeData } from '../../coordinator/recipe.js';
import type { Predictor } from '../../shared/engine/prediction.js';
import { rougeL } from '../../shared/metrics/rouge.js';
import { meanOf, zScore } from '../../shared/metrics/z-score.js';
import { rowsOf, spellNumbers, writeWords } from './pieces.js';

/**
 * ROUGE-L of held-out texts, summed up by a model; that of saying the first sentence of each instead, as far as it is
 * read; and by how many standard errors the first is better. Punctuation marks are no words.
 */
export async function measureSummaries(
  predictor: Predictor,
  { test, alphabet = [] }: RecipeData,
): Promise<{ rougeL: number; leadRougeL: number; zScore: number }> {
  const spell = (numbers: ArrayLike<number>) => withoutMarks(spellNumbers(numbers, alphabet));
  const references = rowsOf(test, 'written').map(spell);
  const places = rowsOf(test, 'lead');
  const leads = rowsOf(test, 'read').map((numbers, i) =>
    spell(numbers.subarray(places[i]?.[0], places[i]?.[1])),
  );
  const said = (await writeWords(predictor, test, alphabet)).map(withoutMarks);
  const score = (texts: readonly string[][]) =>
    references.map((reference, i) => rougeL(texts[i] as string[], reference));
  const [ours, lead] = [score(said), score(leads)];
  return { rougeL: meanOf(ours), leadRougeL: meanOf(lead), zScore: zScore(ours, lead) };
}

const withoutMarks = (words: readonly string[]): string[] =>
  words.filter((word) => /[\p{L}\p{N}]/u.test(word));
