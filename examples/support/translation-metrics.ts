import type { Dataset } from '../../shared/data/dataset.js';
import type { Predictor } from '../../shared/engine/passes/prediction.js';
import { bleu } from '../../shared/metrics/bleu.js';
import { rowsOf, spellNumbers } from '../../trainer/decoding/pieces.js';
import { measureSentences } from '../../trainer/measures/sentences.js';
import type { MeasuredData } from '../../trainer/recipe.js';
import { learnDictionary, type WordPair } from './word-dictionary.js';

/**
 * BLEU of test sentences, decoded by beam search; BLEU of the baseline, a word-by-word translation with a dictionary that
 * is learned from the same pairs; and the ratio of the two.
 */
export async function measureTranslation(
  predictor: Predictor,
  { train, test, alphabet = [] }: MeasuredData,
): Promise<{ bleu: number; dictionaryBleu: number; timesDictionary: number }> {
  const { bleu: translated } = await measureSentences(predictor, test, alphabet);
  const heldOut = pairsOf(test, alphabet);
  const dictionary = learnDictionary(pairsOf(train, alphabet));
  const dictionaryBleu = bleu(
    heldOut.map(({ source, target }) => ({
      // An unknown word is most likely a name.
      predicted: source.map((word) => dictionary.get(word) ?? word),
      reference: target,
    })),
  );
  return {
    bleu: translated,
    dictionaryBleu,
    timesDictionary: dictionaryBleu > 0 ? translated / dictionaryBleu : 0,
  };
}

/** The words of every pair. */
function pairsOf(data: Dataset, alphabet: readonly string[]): WordPair[] {
  const targets = rowsOf(data, 'written');
  return rowsOf(data, 'read').map((source, row) => ({
    source: spellNumbers(source, alphabet),
    target: spellNumbers(targets[row] as Float32Array, alphabet),
  }));
}
