import type { Dataset } from '../../shared/data/dataset.js';
import type { Predictor } from '../../shared/engine/passes/prediction.js';
import { bleu } from '../../shared/metrics/bleu.js';
import { rowsOf, spellNumbers, writeWords } from '../decoding/pieces.js';

/** BLEU of translations by beam search. */
export async function measureSentences(
  predictor: Pick<Predictor, 'predict'>,
  test: Dataset,
  alphabet: readonly string[],
): Promise<{ bleu: number }> {
  const written = await writeWords(predictor, test, alphabet);
  const references = rowsOf(test, 'written').map((numbers) => spellNumbers(numbers, alphabet));
  return {
    bleu: bleu(references.map((reference, i) => ({ predicted: written[i] as string[], reference }))),
  };
}
