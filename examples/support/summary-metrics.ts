import type { RecipeData } from '../../coordinator/recipe.js';
import type { Predictor } from '../../shared/engine/prediction.js';
import { rougeL } from '../../shared/metrics/rouge.js';
import { rowsOf, spellNumbers, writeWords } from './pieces.js';

/**
 * ROUGE-L of held-out texts, summed up by a model; that of saying the first sentence of each instead, as far as it is
 * read; and how many times more the first is than the second. Punctuation marks are no words.
 */
export async function measureSummaries(
  predictor: Predictor,
  { test, alphabet = [] }: RecipeData,
): Promise<{ rougeL: number; leadRougeL: number; timesLead: number }> {
  const spell = (numbers: ArrayLike<number>) => withoutMarks(spellNumbers(numbers, alphabet));
  const references = rowsOf(test, 'written').map(spell);
  const places = rowsOf(test, 'lead');
  const leads = rowsOf(test, 'read').map((numbers, i) =>
    spell(numbers.subarray(places[i]?.[0], places[i]?.[1])),
  );
  const said = (await writeWords(predictor, test, alphabet)).map(withoutMarks);
  const score = (texts: readonly string[][]) =>
    rougeL(texts.map((words, i) => ({ said: words, reference: references[i] as string[] })));
  const [ours, lead] = [score(said), score(leads)];
  return { rougeL: ours, leadRougeL: lead, timesLead: lead > 0 ? ours / lead : 0 };
}

const withoutMarks = (words: readonly string[]): string[] =>
  words.filter((word) => /[\p{L}\p{N}]/u.test(word));
