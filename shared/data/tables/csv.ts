import { UserError } from '../../errors.js';
import type { Dataset } from '../dataset.js';
import { type TablePurpose, type TextFormat, textTable } from './csv-table.js';
import type { TablePreprocessing } from './preprocessing.js';
import type { RawTable } from './raw-table.js';
import { fittedData, nameOf, type TableData } from './table.js';
import { applyPreprocessing, applyWithTarget } from './table-apply.js';
import { isArrow, isParquet, readTableBytes, refuseOtherFiles } from './table-bytes.js';
import { type TableOptions, tableSettings } from './table-options.js';

export interface CsvOptions extends TableOptions, TextFormat {}

/** A table with a reader for other files. */
export interface CsvData extends TableData {
  /** Features of the rows in another file with the same headings. It needs no target. */
  inputs(path: string): Promise<{ readonly features: Float32Array }>;
}

/** Options about the file itself. */
const FILE_OPTIONS: readonly (keyof TextFormat)[] = ['delimiter', 'encoding'];

/**
 * Reads a table file as a data set: delimited text (RFC 4180) with a header line, Parquet, or Arrow, with or without gzip. See
 * tableData.
 * @throws UserError that lists all problems of the file
 */
export async function csv(path: string, options: CsvOptions): Promise<CsvData> {
  const settings = tableSettings('csv()', options, FILE_OPTIONS);
  const { delimiter, encoding } = options;
  const file = { delimiter: delimiter ?? null, encoding: encoding ?? null };
  try {
    return readingFiles(await fittedData(await readTable(path, file), settings, file));
  } catch (error) {
    throw explainMemory(error, path);
  }
}

/** An allocation that failed, as a UserError. */
function explainMemory(error: unknown, path: string): unknown {
  const isMemory = error instanceof RangeError && /allocation failed|array length/i.test(error.message);
  return isMemory
    ? new UserError(`${path} does not fit in the memory of this machine; remove rows or columns`)
    : error;
}

/** Adds a reader for files to a table from any source. */
export function readingFiles(data: TableData): CsvData {
  return {
    ...data,
    async inputs(path) {
      const table = await readTable(path, data.preprocessing.file, 'model');
      return { features: (await applyPreprocessing(data.preprocessing, table)).features };
    },
  };
}

/**
 * Reads every row of a file as data to evaluate a trained model on.
 * @throws UserError that lists all problems of the file
 */
export async function tableToMeasure(
  path: string,
  preprocessing: TablePreprocessing,
): Promise<{ readonly test: Dataset; readonly notes: readonly string[] }> {
  const table = await readTable(path, preprocessing.file, 'model');
  const { dataset, notes } = await applyWithTarget(preprocessing, table, nameOf(table));
  return { test: dataset, notes: [...table.notes, ...notes] };
}

/**
 * Reads the table in a file as text.
 * @param format delimiter and encoding of a text file that does not declare them itself
 * @param purpose decides what messages advise
 * @throws UserError that names the file and the remedy
 */
export async function readTable(
  path: string,
  format: TablePreprocessing['file'],
  purpose: TablePurpose = 'training',
): Promise<RawTable> {
  const bytes = await readTableBytes(path);
  if (isParquet(bytes)) {
    const { parquetTable } = await import('./parquet-table.js');
    return await parquetTable(path, bytes);
  }
  if (isArrow(bytes)) {
    const { arrowTable } = await import('./arrow-table.js');
    return await arrowTable(path, bytes);
  }
  refuseOtherFiles(path, bytes);
  const { delimiter, encoding } = format;
  const given = { ...(delimiter !== null && { delimiter }), ...(encoding !== null && { encoding }) };
  return await textTable(path, bytes, given, purpose);
}
