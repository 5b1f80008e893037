/*
 * Rows of tables for a trained model, with ids.
 */
import { readJsonFile } from '../shared/data/json-rows.js';
import { readTable } from '../shared/data/tables/csv.js';
import { tableOfJson } from '../shared/data/tables/json-table.js';
import type { TablePreprocessing } from '../shared/data/tables/preprocessing.js';
import type { RawTable } from '../shared/data/tables/raw-table.js';
import { applyPreprocessing } from '../shared/data/tables/table-apply.js';
import { UserError } from '../shared/errors.js';
import { didYouMean } from '../shared/nearest.js';
import { type InputFiles, type InputRequest, isJson, type SampleBatch } from './input-files.js';

/** Opens tables. @throws UserError that names the file and the remedy */
export async function openTables(
  files: readonly string[],
  preprocessing: TablePreprocessing,
  { id, say }: InputRequest,
): Promise<InputFiles> {
  const open = async (file: string): Promise<RawTable> =>
    isJson(file)
      ? tableOfJson(file, await readJsonFile(file), preprocessing)
      : readTable(file, preprocessing.file, 'model');
  const first = await open(files[0] as string);
  const column = idColumn(first, id);
  if (id === undefined && column !== undefined) say(`ids are those of the column ${column}`);
  async function* batches(): AsyncGenerator<SampleBatch> {
    for (const file of files) {
      const table = file === files[0] ? first : await open(file);
      const { features, kept, notes } = await applyPreprocessing(preprocessing, table);
      for (const note of [...table.notes, ...notes]) say(`${file}: ${note}`);
      const at = column === undefined ? -1 : table.header.indexOf(column);
      if (column !== undefined && at < 0)
        throw new UserError(`${file} has no column ${column} for the ids; name another with --id COLUMN`, 2);
      const ids = kept.map((row) => [
        ...(files.length > 1 ? [file] : []),
        at < 0 ? String(row + 1) : table.cell(row, at),
      ]);
      yield { ids, inputs: { features } };
    }
  }
  return { idHeadings: [...(files.length > 1 ? ['file'] : []), column ?? 'row'], batches };
}

/** Rows that a program has, an object for each. @throws UserError that names the row and the remedy */
export async function preprocessRows(
  rows: readonly object[],
  preprocessing: TablePreprocessing,
): Promise<{ readonly features: Float32Array; readonly notes: readonly string[] }> {
  const table = tableOfJson('the rows', rows, preprocessing);
  const { features, notes } = await applyPreprocessing(preprocessing, table);
  return { features, notes: [...table.notes, ...notes] };
}

/** The column of ids: the one that was asked for, or the first called id whose values are all different. */
function idColumn({ header, rows, cell, source }: RawTable, id: string | undefined): string | undefined {
  if (id !== undefined) {
    if (header.includes(id)) return id;
    throw new UserError(`${source} has no column ${id}; ${didYouMean(id, header, 'columns')}`, 2);
  }
  const at = header.findIndex((heading, column) => {
    if (!/(^|[ _-])id$/i.test(heading) && !/[a-z]I[dD]$/.test(heading)) return false;
    const values = new Set(Array.from({ length: rows }, (_, row) => cell(row, column)));
    return values.size === rows && !values.has('');
  });
  return header[at];
}
