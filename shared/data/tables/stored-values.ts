/*
 * Values of column files, Parquet and Arrow, as the text that a CSV file of the same table would have.
 */
import { messageOf, UserError } from '../../errors.js';
import { NAME_LENGTH_MAX } from './preprocessing.js';
import { listed, Problems, quoted, shortened } from './problems.js';
import type { RawTable, TableBuilder } from './raw-table.js';

/** Most rows of a row group or a record batch: one of its columns is in memory at a time. */
export const GROUP_ROWS_MAX = 2 ** 26;
/** Most characters of an error of a library, which may quote the file. */
const WHY_LENGTH_MAX = 200;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws Error when the bytes are not UTF-8 */
export function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new Error('bytes that are not text in UTF-8');
  }
}

/** A time in ISO 8601; undefined when it is out of range. */
export function isoTime(milliseconds: number): string | undefined {
  const date = new Date(milliseconds);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

/** A decimal as text: 12345 with scale 3 is 12.345. */
export function decimalText(value: bigint, scale: number): string {
  if (scale <= 0) return scale === 0 ? String(value) : `${value}e${-scale}`;
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0');
  const text = `${digits.slice(0, -scale)}.${digits.slice(-scale)}`.replace(/\.?0+$/, '');
  return value < 0n ? `-${text}` : text;
}

/** What the values of a column are: text or numbers, lists or records, or bytes that have no text of their own. */
export type Content = 'text' | 'nested' | 'opaque';

/** The columns that can be read as text, and what is told about the others. */
export function readableColumns<C extends { readonly name: string }>(
  columns: readonly C[],
  contentOf: (column: C) => Content,
): { readonly readable: C[]; readonly notes: string[] } {
  const named = (content: Content): string[] =>
    columns.filter((column) => contentOf(column) === content).map(({ name }) => name);
  const note = (names: string[], what: string): string[] =>
    names.length === 0 ? [] : [`${listed(names)}: ${what}, ignored`];
  return {
    readable: columns.filter((column) => contentOf(column) === 'text'),
    notes: [
      ...note(named('nested'), 'lists or records'),
      ...note(named('opaque'), 'bytes that are neither text nor numbers'),
    ],
  };
}

/** The table of what was read. @throws UserError when it is empty */
export function storedTable(builder: TableBuilder, notes: readonly string[]): RawTable {
  const { source, header, rows } = builder;
  if (rows === 0) throw new UserError(`${source} has no rows; check that it is the right file`);
  const problems = new Problems();
  for (const heading of header)
    if (heading.length > NAME_LENGTH_MAX)
      problems.add('heading', undefined, `the heading ${quoted(heading)} is too long; shorten it`);
  return builder.build({ problems, notes, file: { delimiter: null, encoding: null } }, 'row');
}

/** An error of reading a column, which it names. */
export function columnError(name: string, error: unknown): Error {
  return new Error(`column ${shortened(name)}: ${messageOf(error)}`);
}

/**
 * Reads a file with a library.
 * @param kind of file, such as "Parquet"
 * @throws UserError that names the file and the remedy
 */
export async function readAs<T>(source: string, kind: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof UserError) throw error;
    const [why] = messageOf(error).split('\n');
    throw new UserError(
      `${source} cannot be read as ${kind}: ${JSON.stringify(why?.slice(0, WHY_LENGTH_MAX))}; write it again, or as CSV`,
    );
  }
}
