/*
 * Parses delimited text (RFC 4180 and its common variants) as a table. Malformed lines are collected, to be reported together
 * with wrong values.
 */
import { isUtf8 } from 'node:buffer';
import { CsvError, type Info, parse } from 'csv-parse';
import { UserError } from '../../errors.js';
import { decodeText } from '../text-encoding.js';
import { isLineEnd, ROW_LENGTH_MAX, RowCollector } from './csv-rows.js';
import { pause } from './pause.js';
import { Problems, quoted } from './problems.js';
import type { RawTable } from './raw-table.js';

/** How a text file is read. */
export interface TextFormat {
  /** Delimiter of the columns. Default: a tab in `.tsv` and `.tab` files, otherwise a comma. */
  readonly delimiter?: string;
  /** Such as 'windows-1252' or 'shift_jis'. Default: UTF-8; UTF-16 and UTF-32 with a byte order mark need no option. */
  readonly encoding?: string;
}

/** What a table is read for. A trained model takes other files as it took its training data, and has no options. */
export type TablePurpose = 'training' | 'model';

/** Bytes that are parsed at a time. */
const PIECE_BYTES = 2 ** 16;
/** Pieces between two pauses. */
const PIECES_IN_A_ROW = 16;
/** Delimiters that are looked for in a header of a single column. */
const DELIMITERS = /[,;\t|]/;

/**
 * Parses text as a table. The first line names the columns.
 * @param source named in messages: the path
 * @param purpose decides what messages advise
 * @throws UserError when there are no rows, or more than fit in memory
 */
export async function textTable(
  source: string,
  bytes: Uint8Array,
  format: TextFormat,
  purpose: TablePurpose = 'training',
): Promise<RawTable> {
  const isForModel = purpose === 'model';
  const problems = new Problems();
  const { utf8, encoding, invalid, likely, notes } = decodeText(bytes, format.encoding);
  if (likely === 'binary')
    throw new UserError(`${source} contains zero bytes, so it is not text; check that it is the right file`);
  if (likely !== undefined)
    problems.add(
      'encoding',
      undefined,
      `looks like UTF-16 (${likely === 'utf-16le' ? 'little' : 'big'}-endian) without a byte order mark; ` +
        (isForModel ? 'save it as UTF-8' : `set encoding: '${likely}'`),
    );
  if (invalid !== undefined) {
    const lines = invalid.lines > 1 ? ` (${invalid.lines} lines have such bytes)` : '';
    const remedy = isForModel
      ? `save it as ${format.encoding === undefined ? '' : `${format.encoding}, like the training data, or as `}UTF-8 with a byte order mark`
      : format.encoding === undefined
        ? "set its encoding, such as encoding: 'windows-1252', or save it as UTF-8"
        : 'set another encoding, or save the file as UTF-8';
    problems.add('encoding', `line ${invalid.line}`, `${invalid.what}${lines}; ${remedy}`);
  }
  const told = [...notes];
  if (encoding !== 'utf-8' && problems.isEmpty)
    told.push(
      `read as ${encoding}${isRatherUtf8(bytes, encoding) ? ', but its bytes are valid UTF-8: if letters look wrong, leave out encoding' : ''}`,
    );
  const lost = utf8.indexOf('\ufffd');
  if (invalid === undefined && lost >= 0)
    told.push(
      `line ${lineAt(utf8, lost)} contains U+FFFD: another program lost characters there, so different values may have become equal`,
    );
  const separator = separatorLine(utf8);
  if (separator !== undefined)
    told.push(
      `the first line, ${quoted(separator.line)}, is Excel's declaration of the delimiter, which is used`,
    );
  const body = {
    utf8: utf8.subarray(separator?.bytes ?? 0),
    firstLine: separator === undefined ? 1 : 2,
  };
  const stem = source.replace(/\.gz$/i, '');
  const usual = /\.(tsv|tab)$/i.test(stem) ? '\t' : ',';
  const delimiter = separator?.delimiter ?? format.delimiter ?? usual;
  if (typeof delimiter !== 'string' || delimiter === '' || /["\r\n]/.test(delimiter))
    throw new UserError(`${JSON.stringify(delimiter)} cannot be a delimiter; try delimiter: ';'`, 2);
  const table = await parseRows(body, delimiter, { source, encoding, problems, notes: told });
  const [only, more] = table.header;
  const other = more === undefined && only !== undefined ? DELIMITERS.exec(only)?.[0] : undefined;
  if (other === undefined || other === delimiter) return table;
  // Parse again with the right delimiter, so that one report has all problems.
  const meant = new Problems();
  meant.adopt(problems, 'encoding');
  meant.add(
    'delimiter',
    undefined,
    `has a single column ${quoted(only as string)}; ` +
      (isForModel
        ? `save it with ${JSON.stringify(delimiter)} between the columns, like the training data, or begin it with the line sep=${other}`
        : `set the delimiter: delimiter: ${JSON.stringify(other)}`),
  );
  return await parseRows(body, other, { source, encoding, problems: meant, notes: told });
}

/** Whether letters beyond ASCII that were read in an encoding of one byte each are letters of UTF-8, which they hardly are by chance. */
function isRatherUtf8(bytes: Uint8Array, encoding: string): boolean {
  return !/^(utf|ucs|gb)/i.test(encoding) && bytes.some((byte) => byte > 0x7f) && isUtf8(bytes);
}

/** A first line like "sep=;", with which Excel declares the delimiter. */
function separatorLine(
  utf8: Buffer,
): { readonly line: string; readonly delimiter: string; readonly bytes: number } | undefined {
  const [all, line = '', delimiter = ''] =
    /^("?sep=(.)"?)(\r\n|\n|\r)/iu.exec(utf8.toString('utf8', 0, 16)) ?? [];
  return all === undefined ? undefined : { line, delimiter, bytes: Buffer.byteLength(all) };
}

/** The line of a byte, from 1. */
function lineAt(utf8: Buffer, end: number): number {
  let line = 1;
  for (let at = 0; at < end; at++) if (isLineEnd(utf8, at)) line += 1;
  return line;
}

async function parseRows(
  body: { readonly utf8: Buffer; readonly firstLine: number },
  delimiter: string,
  text: {
    readonly source: string;
    readonly encoding: string;
    readonly problems: Problems;
    readonly notes: readonly string[];
  },
): Promise<RawTable> {
  const rows = new RowCollector(text.source, body, text.problems);
  const parser = parse({
    delimiter,
    record_delimiter: ['\r\n', '\n', '\r'],
    max_record_size: ROW_LENGTH_MAX,
    relax_column_count: true,
    relax_quotes: true,
    skip_empty_lines: true,
    trim: true,
    on_record: (record: string[], { bytes }: Info) => {
      rows.take(record, bytes);
      return null;
    },
  });
  let failure: Error | undefined;
  const failed = new Promise<void>((resolve) => {
    parser.once('error', (error) => {
      failure = error;
      resolve();
    });
  });
  parser.resume();
  const { utf8 } = body;
  for (let at = 0, piece = 0; at < utf8.length && failure === undefined; at += PIECE_BYTES, piece++) {
    const taken = new Promise<void>((resolve) =>
      parser.write(utf8.subarray(at, at + PIECE_BYTES), () => resolve()),
    );
    await Promise.race([taken, failed]);
    if (piece % PIECES_IN_A_ROW === 0) await pause();
  }
  if (failure === undefined)
    await Promise.race([new Promise<void>((resolve) => parser.once('end', resolve).end()), failed]);
  if (failure instanceof CsvError) rows.stop(failure.code);
  else if (failure !== undefined) throw failure;
  return rows.table(text.notes, { delimiter, encoding: text.encoding });
}
