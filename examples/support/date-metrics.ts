import type { RecipeData } from '../../coordinator/recipe.js';
import { fieldValues } from '../../shared/data/field-values.js';
import { DATE_SIZES, spellDate } from '../../shared/data/texts/dates.js';
import type { Predictor } from '../../shared/engine/prediction.js';
import { errorRate } from '../../shared/metrics/edit-distance.js';
import { decodeGreedily } from './greedy.js';

/** How well held-out dates are translated, decoded greedily: the share that is exact, and edits per character. */
export async function measureDates(
  predictor: Predictor,
  { test }: RecipeData,
): Promise<{ exactMatch: number; characterErrorRate: number }> {
  const { writtenLength, start } = DATE_SIZES;
  const inputs = { read: fieldValues(test, 'read'), present: fieldValues(test, 'present') };
  const references = fieldValues(test, 'written');
  const rows = test.manifest.samples;
  const place = { rows, length: writtenLength, start, before: 'before' };
  const said = await decodeGreedily({ predictor, inputs, ...place });
  const pairs = said.map((symbols, row) => ({
    said: spellDate(symbols),
    reference: spellDate(references.subarray(row * writtenLength, (row + 1) * writtenLength)),
  }));
  const right = pairs.filter(({ said, reference }) => said === reference).length;
  return { exactMatch: right / rows, characterErrorRate: errorRate(pairs) };
}
