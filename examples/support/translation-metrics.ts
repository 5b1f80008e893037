import type { RecipeData } from '../../coordinator/recipe.js';
import type { Dataset } from '../../shared/data/dataset.js';
import type { Predictor } from '../../shared/engine/prediction.js';
import { bleu } from '../../shared/metrics/bleu.js';
import { rowsOf, spellNumbers, writeWords } from './pieces.js';
import { learnDictionary, type WordPair } from './word-dictionary.js';

/**
 * BLEU of held-out sentences, decoded by beam search; BLEU of the same, translated word by word with a dictionary that was
 * learned from the same pairs; and how many times more the first is than the second.
 */
export async function measureTranslation(
  predictor: Predictor,
  { train, test, alphabet = [] }: RecipeData,
): Promise<{ bleu: number; dictionaryBleu: number; timesDictionary: number }> {
  const said = await writeWords(predictor, test, alphabet);
  const heldOut = pairsOf(test, alphabet);
  const dictionary = learnDictionary(pairsOf(train, alphabet));
  const translated = bleu(heldOut.map(({ target }, i) => ({ said: said[i] as string[], reference: target })));
  const dictionaryBleu = bleu(
    heldOut.map(({ source, target }) => ({
      // A word that was never met is most likely a name.
      said: source.map((word) => dictionary.get(word) ?? word),
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
