import type { Dataset } from '../../shared/data/dataset.js';
import { fieldValues } from '../../shared/data/field-values.js';
import { spellPieces } from '../../shared/data/texts/byte-pairs.js';
import { PAIR_SIGNS, type PairLengths } from '../../shared/data/texts/pair-preprocessing.js';
import type { Predictor } from '../../shared/engine/passes/prediction.js';
import { decodeByBeam } from './beam.js';

/** Texts per batch of decoding: their outputs are in memory at once. */
const DECODED_TOGETHER = 64;
/** Settings of the beam search. */
const BEAM = { width: 4, lengthPenalty: 1 } as const;

/** The words that pieces spell, up to the first end symbol. */
export function spellNumbers(numbers: ArrayLike<number>, alphabet: readonly string[]): string[] {
  const all = Array.from(numbers);
  const end = all.indexOf(PAIR_SIGNS.end);
  return spellPieces(all.slice(0, end === -1 ? all.length : end).map((number) => alphabet[number] ?? ''));
}

/** The values of a field, one row per sample. */
export function rowsOf(data: Dataset, field: string): Float32Array[] {
  const values = fieldValues(data, field);
  const length = values.length / data.manifest.samples;
  return Array.from({ length: data.manifest.samples }, (_, row) =>
    values.subarray(row * length, (row + 1) * length),
  );
}

/** The words that a model writes for each sample of packPiecePairs. */
export async function writeWords(
  predictor: Pick<Predictor, 'predict'>,
  test: Dataset,
  alphabet: readonly string[],
): Promise<string[][]> {
  const [readLength = 0, length = 0] = ['read', 'written'].map(
    (field) => test.manifest.fields[field]?.shape[0],
  );
  const inputs = { read: fieldValues(test, 'read'), present: fieldValues(test, 'present') };
  const symbols = await writeSymbols(predictor, inputs, { read: readLength, written: length });
  return symbols.map((numbers) => spellNumbers(numbers, alphabet));
}

/** The symbols that a model writes, by beam search. @param inputs rows of `read` and `present` */
export async function writeSymbols(
  predictor: Pick<Predictor, 'predict'>,
  inputs: { readonly read: Float32Array; readonly present: Float32Array },
  lengths: PairLengths,
): Promise<ArrayLike<number>[]> {
  const rows = inputs.read.length / lengths.read;
  const written: ArrayLike<number>[] = [];
  for (let row = 0; row < rows; row += DECODED_TOGETHER) {
    const together = Math.min(DECODED_TOGETHER, rows - row);
    const part = (values: Float32Array) => values.slice(row * lengths.read, (row + together) * lengths.read);
    const place = { rows: together, length: lengths.written, ...PAIR_SIGNS, before: 'before' };
    const some = { read: part(inputs.read), present: part(inputs.present) };
    written.push(...(await decodeByBeam({ predictor, inputs: some, ...place, ...BEAM })));
  }
  return written;
}
