import type { Dataset } from '../../shared/data/dataset.js';
import { fieldValues } from '../../shared/data/field-values.js';
import { spellPieces } from '../../shared/data/texts/byte-pairs.js';
import { PAIR_SIGNS } from '../../shared/data/texts/piece-pairs.js';
import type { Predictor } from '../../shared/engine/prediction.js';
import { decodeByBeam } from './beam.js';

/** Texts that are decoded together: their outputs are in memory at once. */
const TOGETHER = 64;
/** Beginnings of a text that are followed side by side, and how much long ones are helped. */
const BEAM = { width: 4, lengthPenalty: 1 } as const;

/** The words that numbers of pieces spell, up to the first end. */
export function spellNumbers(numbers: ArrayLike<number>, alphabet: readonly string[]): string[] {
  const all = Array.from(numbers);
  const end = all.indexOf(PAIR_SIGNS.end);
  return spellPieces(all.slice(0, end === -1 ? all.length : end).map((number) => alphabet[number] ?? ''));
}

/** A field of each sample, in rows. */
export function rowsOf(data: Dataset, field: string): Float32Array[] {
  const values = fieldValues(data, field);
  const length = values.length / data.manifest.samples;
  return Array.from({ length: data.manifest.samples }, (_, row) =>
    values.subarray(row * length, (row + 1) * length),
  );
}

/** What a model writes for each sample of packPiecePairs, in words. */
export async function writeWords(
  predictor: Predictor,
  test: Dataset,
  alphabet: readonly string[],
): Promise<string[][]> {
  const [read, present] = [fieldValues(test, 'read'), fieldValues(test, 'present')];
  const { samples, fields } = test.manifest;
  const [readLength = 0, length = 0] = ['read', 'written'].map((field) => fields[field]?.shape[0]);
  const said: string[][] = [];
  for (let row = 0; row < samples; row += TOGETHER) {
    const rows = Math.min(TOGETHER, samples - row);
    const part = (values: Float32Array) => values.slice(row * readLength, (row + rows) * readLength);
    const inputs = { read: part(read), present: part(present) };
    const place = { rows, length, ...PAIR_SIGNS, before: 'before' };
    for (const symbols of await decodeByBeam({ predictor, inputs, ...place, ...BEAM }))
      said.push(spellNumbers(symbols, alphabet));
  }
  return said;
}
