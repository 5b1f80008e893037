/*
 * Converts the cells of a column of known type to numbers.
 */
import { missingTest } from './column-survey.js';
import { readDate } from './date-text.js';
import { numberReader } from './number-text.js';
import type { CellFormat, DateOrder, DatePart } from './preprocessing.js';
import { listed, type Problems, quoted, shortened } from './problems.js';
import type { RawTable } from './raw-table.js';

/** How the cells of a column are read. */
export type ColumnReading = { readonly name: string } & (
  | { readonly type: 'number'; readonly percent: boolean; readonly currency: string | null }
  | { readonly type: 'category'; readonly values: readonly string[] }
  | { readonly type: 'date'; readonly order: DateOrder; readonly parts: readonly DatePart[] }
);

/**
 * The values of a column as numbers, one per row: a number itself, or the index of a category's value; a date has one array
 * per part. NaN: the value is missing.
 */
export type ColumnValues = readonly Float64Array[];

/**
 * Reads a column. Cells that cannot be read are added to `problems`.
 * @param at the column's index in the table
 */
export function columnValues(
  table: RawTable,
  at: number,
  column: ColumnReading,
  format: CellFormat,
  problems: Problems,
): ColumnValues {
  const isMissing = missingTest(format);
  const parts = column.type === 'date' ? column.parts.length : 1;
  const values = Array.from({ length: parts }, () => new Float64Array(table.rows).fill(Number.NaN));
  const read = cellReader(column, format);
  for (let row = 0; row < table.rows; row++) {
    const text = table.cell(row, at);
    if (isMissing(text)) continue;
    const result = read(text);
    if (typeof result === 'string') {
      const place = table.place(row);
      problems.add(`value:${column.name}`, place, `${shortened(column.name)} is ${quoted(text)}, ${result}`);
    } else if (typeof result === 'number') (values[0] as Float64Array)[row] = result;
    else for (const [i, part] of result.entries()) (values[i] as Float64Array)[row] = part;
  }
  return values;
}

/** @returns a function of a cell: its number, its parts, or a text that says what is wrong */
function cellReader(
  column: ColumnReading,
  format: CellFormat,
): (text: string) => number | readonly number[] | string {
  switch (column.type) {
    case 'number':
      return numberCell(column, format);
    case 'category': {
      const places = new Map(column.values.map((value, place) => [value, place]));
      const known = listed(column.values);
      return (text) =>
        places.get(text) ?? `which does not occur in the training data; known values are ${known}`;
    }
    case 'date': {
      const { order, parts } = column;
      return (text) => {
        const date = readDate(text, order, true);
        return date === undefined
          ? `where a date in the order of the training data (${order}) is needed`
          : parts.map((part) => date[part]);
      };
    }
  }
}

function numberCell(
  column: ColumnReading & { readonly type: 'number' },
  format: CellFormat,
): (text: string) => number | string {
  const read = numberReader(format);
  return (text) => {
    const number = read(text);
    if (number === undefined) return 'where a number is needed';
    if (!Number.isFinite(Math.fround(number.value)))
      return 'where a number of at most 3.4e38 is needed (float32)';
    if (number.percent !== column.percent)
      return column.percent
        ? 'without a percent sign, unlike the training data'
        : 'with a percent sign, unlike the training data';
    const { currency } = number;
    if (currency === null || currency === column.currency) return number.value;
    if (currency === '()' && column.currency !== null) return number.value;
    return column.currency === null
      ? 'with a currency sign, unlike the training data'
      : `but the amounts are in ${column.currency}`;
  };
}
