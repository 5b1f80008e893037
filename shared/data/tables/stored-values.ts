/*
 * Values of column files, Parquet and Arrow, as the text that a CSV file of the same table would have.
 */
import { UserError } from '../../errors.js';
import { NAME_LENGTH_MAX } from './preprocessing.js';
import { listed, Problems, quoted } from './problems.js';

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

/** What is told about columns that are left out. @param nested of lists and records @param opaque of bytes */
export function notesOnIgnored(nested: readonly string[], opaque: readonly string[]): string[] {
  return [
    ...(nested.length === 0 ? [] : [`${listed(nested)}: lists or records, ignored`]),
    ...(opaque.length === 0 ? [] : [`${listed(opaque)}: bytes that are neither text nor numbers, ignored`]),
  ];
}

/** The problems of a header. */
export function problemsOfHeader(header: readonly string[]): Problems {
  const problems = new Problems();
  for (const heading of header)
    if (heading.length > NAME_LENGTH_MAX)
      problems.add('heading', undefined, `the heading ${quoted(heading)} is too long; shorten it`);
  return problems;
}

/** An error of a library about a file, as a UserError of one line. @param kind of file, such as "Parquet" */
export function unreadable(source: string, kind: string, error: unknown): UserError {
  if (error instanceof UserError) return error;
  const [why] = (error instanceof Error ? error.message : String(error)).split('\n');
  return new UserError(
    `${source} cannot be read as ${kind}: ${JSON.stringify(why?.slice(0, WHY_LENGTH_MAX))}; write it again, or as CSV`,
  );
}
