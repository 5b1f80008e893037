import { UserError } from '../../errors.js';

/** A row of a table as it was read. */
export interface TableRow {
  readonly values: readonly string[];
  /** For errors: "line 7". */
  readonly place: string;
}

/** One column of a table, as numbers. */
export interface TableColumn {
  readonly heading: string;
  /** For each row its number; of a category, the number of its value. */
  readonly numbers: readonly number[];
  /** Of a category: its values, in the order of code points. */
  readonly values?: readonly string[];
}

/** Where a column stands. */
interface ColumnPlace {
  readonly source: string;
  readonly heading: string;
  /** In each row. */
  readonly at: number;
  /** Whether its numbers, too, are names. */
  readonly isCategory: boolean;
}

/** Most values of a category: each is a place of every sample. */
const VALUES_MAX = 1024;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** What stands where a value is missing. */
const MISSING = new Set(['', '?', 'NA', 'N/A', 'NaN', 'null']);

/** Whether a row has no value in a column. */
export function isMissing({ values }: TableRow, at: number): boolean {
  return MISSING.has(values[at] as string);
}

/**
 * Reads a column: as numbers when its first value is one, else as a category.
 * @param rows at least one
 * @throws UserError that names line and mend when a number is none, or there are too many categories
 */
export function readColumn(place: ColumnPlace, rows: readonly TableRow[]): TableColumn {
  const { source, heading, at, isCategory } = place;
  const textOf = (row: TableRow): string => row.values[at] as string;
  if (!isCategory && NUMBER.test(textOf(rows[0] as TableRow))) return readAgain({ heading }, place, rows);
  const values = [...new Set(rows.map(textOf))].sort((a, b) => (a < b ? -1 : 1));
  if (values.length > VALUES_MAX)
    throw new UserError(
      `${source}: ${heading} has ${values.length} different values, too many for a category; ` +
        `leave it out with ignore: ['${heading}']`,
    );
  return readAgain({ heading, values }, place, rows);
}

/**
 * Reads a column as one that is known already.
 * @throws UserError that names line and mend when a number is none, or a category is unknown
 */
export function readAgain(
  { heading, values }: Pick<TableColumn, 'heading' | 'values'>,
  { source, at }: Pick<ColumnPlace, 'source' | 'at'>,
  rows: readonly TableRow[],
): TableColumn {
  const numberOf = new Map(values?.map((value, number) => [value, number]));
  const numbers = rows.map((row) => {
    const text = row.values[at] as string;
    if (values !== undefined) {
      const number = numberOf.get(text);
      if (number !== undefined) return number;
      throw new UserError(
        `${source} ${row.place}: ${heading} is "${text}", which was never learned; known are ${values.join(', ')}`,
      );
    }
    const number = Number(text);
    if (NUMBER.test(text) && Number.isFinite(Math.fround(number))) return number;
    throw new UserError(
      `${source} ${row.place}: ${heading} is "${text}", where a number is needed; ` +
        `mend it, or make the column a category: categories: ['${heading}']`,
    );
  });
  return values === undefined ? { heading, numbers } : { heading, values, numbers };
}
