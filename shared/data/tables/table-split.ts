/*
 * Splits the rows of a table into training rows and held-out rows.
 */
import { checkSides, heldOutOf } from '../held-out.js';
import { quoted, shortened } from './problems.js';
import type { RawTable } from './raw-table.js';
import type { TableSettings } from './table-options.js';

/** For each row 1 when a column names it "test", 0 for "train". */
export function sidesIn(table: RawTable, column: string): Uint8Array {
  const at = table.header.indexOf(column);
  const sides = new Uint8Array(table.rows);
  if (at < 0) return sides;
  for (let row = 0; row < table.rows; row++) {
    const side = table.cell(row, at);
    if (side !== 'train' && side !== 'test')
      table.problems.add(
        'split',
        table.place(row),
        `${shortened(column)} is ${quoted(side)}; write train or test`,
      );
    sides[row] = Number(side === 'test');
  }
  return sides;
}

/** Most training rows that are compared with the held-out rows: their keys are in memory. */
const COMPARED_MAX = 2 ** 20;

/** A column that identifies rows. */
interface KeyColumn {
  readonly at: number;
  /** Its numbers; NaN for rows without a value. */
  readonly numbers: Float64Array;
  readonly isNumber: boolean;
}

/**
 * Returns the key of a row: its values in canonical notation. Equal rows have equal keys, and are on the same side of a
 * split.
 */
export function rowKeys(table: RawTable, columns: readonly KeyColumn[]): (row: number) => string {
  const parts = columns.map(({ at, numbers, isNumber }) => (row: number): string => {
    const number = numbers[row] as number;
    if (Number.isNaN(number)) return '';
    return isNumber ? String(number) : table.cell(row, at);
  });
  return (row) => JSON.stringify(parts.map((part) => part(row)));
}

/** The training rows and the held-out rows. */
export function splitRows(
  source: string,
  rows: readonly number[],
  keyOf: (row: number) => string,
  split: TableSettings['split'],
  isTestRow: Uint8Array | undefined,
): { readonly train: number[]; readonly test: number[]; readonly isForced: boolean } {
  const { sides, isForced } =
    isTestRow === undefined
      ? heldOutOf(source, rows.length, (i) => keyOf(rows[i] as number), 'column' in split ? {} : split)
      : { sides: Uint8Array.from(rows, (row) => isTestRow[row] as number), isForced: false };
  const train = rows.filter((_, i) => sides[i] === 0);
  const test = rows.filter((_, i) => sides[i] === 1);
  checkSides(source, { train: train.length, test: test.length }, 'column' in split ? undefined : split.share);
  return { train, test, isForced };
}

/** Number of held-out rows that are equal to a training row. */
export function countRepeated(
  train: readonly number[],
  test: readonly number[],
  keyOf: (row: number) => string,
): number {
  if (train.length > COMPARED_MAX) return 0;
  const learned = new Set(train.map(keyOf));
  return test.filter((row) => learned.has(keyOf(row))).length;
}
