import { UserError } from '../errors.js';

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

/**
 * Reads a column: as numbers when its first value is one, else as a category.
 * @param rows at least one
 * @throws UserError that names line and mend when a number is none, or there are too many categories
 */
export function readColumn(
  { source, heading, at, isCategory }: ColumnPlace,
  rows: readonly TableRow[],
): TableColumn {
  const textOf = (row: TableRow): string => row.values[at] as string;
  const first = textOf(rows[0] as TableRow);
  if (isCategory || !NUMBER.test(first)) {
    const values = [...new Set(rows.map(textOf))].sort((a, b) => (a < b ? -1 : 1));
    if (values.length > VALUES_MAX)
      throw new UserError(
        `${source}: ${heading} has ${values.length} different values, too many for a category; ` +
          `leave it out with ignore: ['${heading}']`,
      );
    const numberOf = new Map(values.map((value, number) => [value, number]));
    return { heading, values, numbers: rows.map((row) => numberOf.get(textOf(row)) as number) };
  }
  const numbers = rows.map((row) => {
    const text = textOf(row);
    const number = Number(text);
    if (NUMBER.test(text) && Number.isFinite(Math.fround(number))) return number;
    throw new UserError(
      `${source} ${row.place}: ${heading} is "${text}", where a number is needed; ` +
        `mend it, or make the column a category: categories: ['${heading}']`,
    );
  });
  return { heading, numbers };
}
