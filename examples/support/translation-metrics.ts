import type { RecipeData } from '../../coordinator/recipe.js';
import { spellPieces } from '../../shared/data/byte-pairs.js';
import type { Dataset } from '../../shared/data/dataset.js';
import { fieldValues } from '../../shared/data/field-values.js';
import { PAIR_LENGTH, PAIR_SIGNS } from '../../shared/data/parallel-text.js';
import type { Predictor } from '../../shared/engine/prediction.js';
import { bleu } from '../../shared/metrics/bleu.js';
import { decodeGreedily } from './greedy.js';
import { learnDictionary, type WordPair } from './word-dictionary.js';

/** Sentences that are decoded together: their outputs are in memory at once. */
const TOGETHER = 64;

/**
 * BLEU of held-out sentences, decoded greedily; BLEU of the same, translated word by word with a dictionary that was
 * learned from the same pairs; and how many times more the first is than the second.
 */
export async function measureTranslation(
  predictor: Predictor,
  { train, test, alphabet = [] }: RecipeData,
): Promise<{ bleu: number; dictionaryBleu: number; timesDictionary: number }> {
  const read = fieldValues(test, 'read');
  const present = fieldValues(test, 'present');
  const said: string[][] = [];
  for (let row = 0; row < test.manifest.samples; row += TOGETHER) {
    const rows = Math.min(TOGETHER, test.manifest.samples - row);
    const part = (values: Float32Array) => values.slice(row * PAIR_LENGTH, (row + rows) * PAIR_LENGTH);
    const inputs = { read: part(read), present: part(present) };
    const place = { rows, length: PAIR_LENGTH, start: PAIR_SIGNS.start, before: 'before' };
    for (const symbols of await decodeGreedily({ predictor, inputs, ...place }))
      said.push(spell(symbols, alphabet));
  }
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

/** The words up to the first end. */
function spell(numbers: ArrayLike<number>, alphabet: readonly string[]): string[] {
  const all = Array.from(numbers);
  const end = all.indexOf(PAIR_SIGNS.end);
  return spellPieces(all.slice(0, end === -1 ? all.length : end).map((number) => alphabet[number] ?? ''));
}

/** The words of every pair. */
function pairsOf(data: Dataset, alphabet: readonly string[]): WordPair[] {
  const [source, target] = [fieldValues(data, 'read'), fieldValues(data, 'written')];
  return Array.from({ length: data.manifest.samples }, (_, row) => {
    const part = (values: Float32Array) => values.subarray(row * PAIR_LENGTH, (row + 1) * PAIR_LENGTH);
    return { source: spell(part(source), alphabet), target: spell(part(target), alphabet) };
  });
}
