import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { CsvError, type Info, parse } from 'csv-parse';
import { UserError } from '../../errors.js';
import { explainFileError } from '../../files/file-error.js';
import { type TableData, type TableOptions, tableData } from './table.js';
import type { TableRow } from './table-column.js';

export interface CsvOptions extends TableOptions {
  /** What parts the columns. Default: a comma. */
  readonly delimiter?: string;
}

/** Longest line, in characters. */
const LINE_LENGTH_MAX = 2 ** 20;

/** A table, and how other rows for it are read. */
export interface CsvData extends TableData {
  /** The features of the rows in another CSV file, with the same headings; it need not have a target. */
  inputs(path: string): Promise<{ readonly features: Float32Array }>;
}

/**
 * A CSV file (RFC 4180, UTF-8) whose first line names the columns, read as a stream; see tableData.
 * @throws UserError that names the file, the line and the mend
 */
export async function csv(path: string, options: CsvOptions): Promise<CsvData> {
  const { delimiter } = options;
  const { header, rows } = await readTable(path, delimiter);
  return readingCsv(tableData(path, header, rows, options), delimiter);
}

/** A table, wherever it comes from, for which other rows are read out of CSV files. */
export function readingCsv(table: TableData, delimiter?: string): CsvData {
  return {
    ...table,
    async inputs(path) {
      const { header, rows } = await readTable(path, delimiter);
      return { features: table.encode(path, header, rows) };
    },
  };
}

interface CsvTable {
  readonly header: readonly string[];
  readonly rows: readonly TableRow[];
}

async function readTable(path: string, delimiter = ','): Promise<CsvTable> {
  const [header, ...rows] = await readRows(path, delimiter);
  if (header === undefined || rows.length === 0)
    throw new UserError(`${path} has no rows under a line of headings; check that it is the right file`);
  const [only, more] = header.values;
  if (more === undefined && only !== undefined && /[;\t|]/.test(only)) {
    const other = JSON.stringify(/[;\t|]/.exec(only)?.[0]);
    throw new UserError(`${path} has a single column "${only}"; say what parts them: delimiter: ${other}`);
  }
  return { header: header.values, rows };
}

async function readRows(path: string, delimiter: string): Promise<TableRow[]> {
  const parser = parse({
    bom: true,
    delimiter,
    info: true,
    max_record_size: LINE_LENGTH_MAX,
    skip_empty_lines: true,
    trim: true,
  });
  // What goes wrong in reading comes out of the parser, too.
  pipeline(createReadStream(path), parser, () => {});
  const rows: TableRow[] = [];
  try {
    for await (const row of parser) {
      const { record, info } = row as { readonly record: string[]; readonly info: Info };
      rows.push({ values: record, place: `line ${info.lines}` });
    }
  } catch (error) {
    if (error instanceof CsvError) throw explainCsvError(path, error);
    throw explainFileError(error, `cannot read ${path}`);
  }
  return rows;
}

/** The parser's own words, without what it says about its settings. */
function explainCsvError(path: string, error: CsvError): UserError {
  const line = `${path} line ${String(error.lines)}`;
  if (error.code === 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH') {
    const { length } = error.record as string[];
    return new UserError(`${line} has ${length} columns, other than the lines before it; mend the line`);
  }
  return new UserError(`${line}: ${error.message}; mend the line`);
}
