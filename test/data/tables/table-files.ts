import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { fieldValues } from '../../../shared/data/field-values.js';
import { type CsvData, type CsvOptions, csv } from '../../../shared/data/tables/csv.js';
import type { RawTable } from '../../../shared/data/tables/raw-table.js';
import { temporaryFolder } from '../../support/process.js';

/** Writes a table file in a temporary folder. @param content lines, or the whole content */
export function tableFile(content: readonly string[] | string | Uint8Array, name = 'table.csv'): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(
    path,
    typeof content === 'string' || content instanceof Uint8Array ? content : `${content.join('\n')}\n`,
  );
  return path;
}

/** The texts of all cells, by heading. */
export function columnsOf(table: RawTable): Record<string, string[]> {
  return Object.fromEntries(
    table.header.map((name, at) => [
      name,
      Array.from({ length: table.rows }, (_, row) => table.cell(row, at)),
    ]),
  );
}

/** Reads lines as a table with a split column `part`. */
export function readParts(
  content: readonly string[] | string | Uint8Array,
  options: Partial<CsvOptions> = {},
): Promise<CsvData> {
  return csv(tableFile(content), { target: 'y', split: { column: 'part' }, ...options });
}

/**
 * Makes a table of one feature column, with a numeric target and one held-out row.
 * @param values cells of the column
 */
function columnTable(values: readonly string[], delimiter = ';'): string[] {
  const row = (value: string, y: number, part: string): string => [value, y, part].join(delimiter);
  return [
    ['x', 'y', 'part'].join(delimiter),
    ...values.map((value, i) => row(value, i, 'train')),
    row(values.at(-1) ?? '', 1, 'test'),
  ];
}

/** The training features of a column of values, by row. */
export async function featuresOfColumn(
  values: readonly string[],
  options: Partial<CsvOptions> = {},
): Promise<{
  readonly names: readonly string[];
  readonly rows: readonly (readonly number[])[];
  readonly data: CsvData;
}> {
  const data = await readParts(columnTable(values), { delimiter: ';', standardize: false, ...options });
  const all = [...fieldValues(data.train, 'features')];
  const width = data.features.length;
  const rows = Array.from({ length: all.length / width }, (_, i) => all.slice(i * width, (i + 1) * width));
  return { names: data.features, rows, data };
}

/** @returns the message with which a column of values is refused */
export async function refusedColumn(
  values: readonly string[],
  options: Partial<CsvOptions> = {},
): Promise<string> {
  return readParts(columnTable(values), { delimiter: ';', ...options }).then(
    ({ notes }) => expect.fail(`read:\n${notes.join('\n')}`),
    (error: Error) => {
      expect(error.name).toBe('UserError');
      return error.message;
    },
  );
}
