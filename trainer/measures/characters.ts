import type { Dataset } from '../../shared/data/dataset.js';
import { fieldValues } from '../../shared/data/field-values.js';
import { type PairPreprocessing, writtenAlphabet } from '../../shared/data/texts/pair-preprocessing.js';
import type { Predictor } from '../../shared/engine/passes/prediction.js';
import { errorRate } from '../../shared/metrics/edit-distance.js';
import { decodeGreedily } from '../decoding/greedy.js';

/** The share of texts that are written exactly, and edits per character; decoded greedily. */
export async function measureCharacters(
  predictor: Pick<Predictor, 'predict'>,
  test: Dataset,
  preprocessing: PairPreprocessing,
): Promise<{ exactMatch: number; characterErrorRate: number }> {
  const alphabet = writtenAlphabet(preprocessing);
  const { length } = preprocessing.written;
  const inputs = { read: fieldValues(test, 'read'), present: fieldValues(test, 'present') };
  const references = fieldValues(test, 'written');
  const rows = test.manifest.samples;
  const place = { rows, length, start: alphabet.length, before: 'before' };
  const decoded = await decodeGreedily({ predictor, inputs, ...place });
  const spell = (numbers: ArrayLike<number>): string =>
    Array.from(numbers, (number) => alphabet[number] ?? '?').join('');
  const pairs = decoded.map((symbols, row) => ({
    predicted: spell(symbols),
    reference: spell(references.subarray(row * length, (row + 1) * length)),
  }));
  const right = pairs.filter(({ predicted, reference }) => predicted === reference).length;
  return { exactMatch: right / rows, characterErrorRate: errorRate(pairs) };
}
