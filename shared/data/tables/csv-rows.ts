/*
 * Collects the rows of a delimited text with their line numbers, and reports malformed ones.
 */
import { UserError } from '../../errors.js';
import { NAME_LENGTH_MAX } from './preprocessing.js';
import { listed, type Problems, quoted } from './problems.js';
import { type RawTable, TableBuilder } from './raw-table.js';

/** Longest row, in characters. */
export const ROW_LENGTH_MAX = 2 ** 22;
const LINE_BREAK = /[\r\n]/;
const BYTE_ORDER_MARK = /^\ufeff/;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;

/** Collects the parsed rows with their line numbers. */
export class RowCollector {
  readonly #source: string;
  readonly #utf8: Buffer;
  readonly #problems: Problems;
  #builder: TableBuilder | undefined;
  /** The byte up to which lines are counted, and the line there. */
  #at = 0;
  #line: number;
  #empty = 0;
  /** Rows with empty values after the last column. */
  #trailing = 0;
  /** Rows with a value that has a line break, and the line of the first. */
  #broken = 0;
  #firstBroken = 0;
  /** Rows whose number of values differs from the number of headings, counted by that number. */
  readonly #ragged = new Map<number, number>();

  constructor(source: string, { utf8, firstLine }: { utf8: Buffer; firstLine: number }, problems: Problems) {
    this.#source = source;
    this.#utf8 = utf8;
    this.#line = firstLine;
    this.#problems = problems;
  }

  /** @param end the byte after the row */
  take(record: readonly string[], end: number): void {
    const values = this.#padded(record);
    const line = this.#beginRow();
    this.#count(end);
    if (this.#builder === undefined) {
      for (const heading of values)
        if (heading.length > NAME_LENGTH_MAX)
          this.#problems.add(
            'heading',
            `line ${line}`,
            `the heading ${quoted(heading)} is too long; shorten it`,
          );
      this.#builder = new TableBuilder(this.#source, values);
      return;
    }
    const { header } = this.#builder;
    if (values.every((value) => value === '')) {
      this.#empty += 1;
      return;
    }
    if (
      header.length > 1 &&
      header.every((heading, i) => heading === values[i]?.replace(BYTE_ORDER_MARK, ''))
    ) {
      this.#problems.add(
        'repeated header',
        `line ${line}`,
        'repeats the headings, as where files were joined; remove the line',
      );
      return;
    }
    if (values.some((value) => LINE_BREAK.test(value))) {
      this.#broken += 1;
      if (this.#broken === 1) this.#firstBroken = line;
    }
    const extra = values.slice(header.length);
    if (values.length < header.length || extra.some((value) => value !== '')) {
      this.#ragged.set(values.length, (this.#ragged.get(values.length) ?? 0) + 1);
      this.#problems.add(
        'ragged',
        `line ${line}`,
        `has ${counted(values.length, 'value')} under ${counted(header.length, 'heading')}${hintAt(values, header.length)}; fix the line`,
      );
      return;
    }
    if (extra.length > 0) this.#trailing += 1;
    this.#builder.add(values, line);
  }

  /** A header with a trailing delimiter has empty headings after those of the rows. */
  #padded(record: readonly string[]): readonly string[] {
    const missing = this.#builder?.header.slice(record.length) ?? [];
    return missing.length > 0 && missing.every((heading) => heading === '')
      ? [...record, ...missing]
      : record;
  }

  /**
   * Records an error after which the parser cannot continue.
   * @param code of the error, by the parser csv-parse
   */
  stop(code: string): void {
    const line = `line ${this.#beginRow()}`;
    const rest = 'the lines after it were not read';
    if (code === 'CSV_QUOTE_NOT_CLOSED')
      this.#problems.add(
        'quote',
        line,
        `opens a quote that is never closed; close it, or double a quote within a value (""); ${rest}`,
      );
    else if (code === 'CSV_MAX_RECORD_SIZE')
      this.#problems.add(
        'quote',
        line,
        `starts a row of more than ${ROW_LENGTH_MAX} characters; look for an unclosed quote; ${rest}`,
      );
    else
      this.#problems.add(
        'quote',
        line,
        `has characters after a closing quote; double a quote within a value (""); ${rest}`,
      );
  }

  table(notes: readonly string[], file: RawTable['file']): RawTable {
    const builder = this.#builder;
    if (builder === undefined) {
      this.#problems.throwIfAny(this.#source);
      throw new UserError(`${this.#source} is empty; check that it is the right file`);
    }
    if (builder.rows === 0 && this.#problems.isEmpty)
      throw new UserError(`${this.#source} has no rows below its header; check that it is the right file`);
    const told = [...notes];
    if (this.#trailing > 0)
      told.push(`${rowsOf(this.#trailing)} with a trailing delimiter, which is ignored`);
    if (this.#broken > 0)
      told.push(
        `${rowsOf(this.#broken)} with line breaks within quotes, first on line ${this.#firstBroken}; if these are several rows, a quote is missing`,
      );
    if (this.#empty > 0) told.push(`${rowsOf(this.#empty)} without any value, ignored`);
    this.#explainRagged(builder);
    return builder.build({ problems: this.#problems, notes: told, file }, 'line');
  }

  /** When all rows differ from the header in the same way, the header is wrong. */
  #explainRagged({ header, rows }: TableBuilder): void {
    const [[values, count] = [0, 0], ...more] = [...this.#ragged];
    // A title, or a comment, in place of the headings.
    if (header.filter((heading) => heading !== '').length === 1 && values > 1 && count > rows) {
      this.#problems.remove('ragged');
      this.#problems.add(
        'headings',
        undefined,
        `begins with ${quoted(header[0] as string)}, a single heading, and most rows below have ${counted(values, 'value')}; ` +
          'remove the lines above the headings, or name the missing columns',
      );
      return;
    }
    if (count < 2 || more.length > 0 || rows > 0) return;
    this.#problems.remove('ragged');
    this.#problems.add(
      'headings',
      undefined,
      `has ${counted(header.length, 'heading')} for rows of ${counted(values, 'value')} (${listed(header)}); ` +
        (values > header.length ? 'name the missing column' : 'remove the headings without a column'),
    );
  }

  /** The line at which the next row starts. */
  #beginRow(): number {
    for (;;) {
      const byte = this.#utf8[this.#at];
      if (byte !== LF && byte !== CR && byte !== SPACE) return this.#line;
      this.#count(this.#at + 1);
    }
  }

  #count(end: number): void {
    for (; this.#at < end; this.#at++) if (isLineEnd(this.#utf8, this.#at)) this.#line += 1;
  }
}

/** A likely reason for too many values in a row. */
function hintAt(values: readonly string[], columns: number): string {
  if (values.length <= columns) return '';
  const isSplitNumber = values.some(
    (value, i) => /^[+-]?\d+$/.test(value) && /^\d+$/.test(values[i + 1] ?? ''),
  );
  return isSplitNumber ? ' (decimal commas need quotes or another delimiter)' : '';
}

function rowsOf(count: number): string {
  return counted(count, 'row');
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** Whether a line ends at the byte. CR LF ends at the LF. */
export function isLineEnd(utf8: Buffer, at: number): boolean {
  return utf8[at] === LF || (utf8[at] === CR && utf8[at + 1] !== LF);
}
