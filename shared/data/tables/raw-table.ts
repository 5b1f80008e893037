/*
 * A table of text, as it was read and before any type is decided.
 */
import { UserError } from '../../errors.js';
import { SAMPLES_MAX } from '../order.js';
import { COLUMNS_MAX } from './preprocessing.js';
import { listed, type Problems } from './problems.js';

/** Most bytes of text in a table, which is kept in memory. */
const TEXT_BYTES_MAX = 2 ** 30;
/** Most cells: each takes twelve bytes besides its text, as an offset and as a number. */
const CELLS_MAX = 2 ** 27;

/** A row of a table. */
export interface TableRow {
  readonly values: readonly string[];
  /** For messages: "line 7". */
  readonly place: string;
}

/** A table of text. */
export interface RawTable {
  /** Named in messages, such as a path. */
  readonly source: string;
  readonly header: readonly string[];
  readonly rows: number;
  /** The text of a cell. */
  cell(row: number, column: number): string;
  /** For messages: "line 7". */
  place(row: number): string;
  /** Indices of columns without a heading in the file. */
  readonly unnamed: ReadonlySet<number>;
  /** How the file was read; null: not a text file. A guess is also among the problems. */
  readonly file: { readonly delimiter: string | null; readonly encoding: string | null };
  /** Observations that are no problems. */
  readonly notes: readonly string[];
  /** Problems of the file itself. */
  readonly problems: Problems;
}

/** How a file was read, with problems and observations. */
export type ReadFile = Pick<RawTable, 'problems' | 'notes' | 'file'>;

/** The texts of one column in two buffers outside the JavaScript heap: many small strings would take several times the memory. */
class TextColumn {
  #bytes = Buffer.allocUnsafe(64);
  #ends = new Uint32Array(16);
  #rows = 0;

  get(row: number): string {
    const from = row === 0 ? 0 : (this.#ends[row - 1] as number);
    return this.#bytes.toString('utf8', from, this.#ends[row] as number);
  }

  /** @returns bytes of the text */
  push(text: string): number {
    const from = this.#rows === 0 ? 0 : (this.#ends[this.#rows - 1] as number);
    // A UTF-16 code unit takes at most three bytes.
    if (from + text.length * 3 > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, from + text.length * 3));
      this.#bytes.copy(larger, 0, 0, from);
      this.#bytes = larger;
    }
    if (this.#rows === this.#ends.length) {
      const longer = new Uint32Array(this.#ends.length * 2);
      longer.set(this.#ends);
      this.#ends = longer;
    }
    const size = text === '' ? 0 : this.#bytes.write(text, from);
    this.#ends[this.#rows++] = from + size;
    return size;
  }
}

/** Collects the rows of a table. */
export class TableBuilder {
  readonly #columns: TextColumn[];
  #lines = new Uint32Array(16);
  #rows = 0;
  #bytes = 0;

  /**
   * @param source named in messages
   * @throws UserError when there are too many columns
   */
  constructor(
    readonly source: string,
    readonly header: readonly string[],
  ) {
    if (header.length > COLUMNS_MAX)
      throw new UserError(
        `${source} has ${header.length} columns, more than the ${COLUMNS_MAX} allowed; check that it is the right file`,
      );
    this.#columns = header.map(() => new TextColumn());
  }

  get rows(): number {
    return this.#rows;
  }

  /**
   * @param values one for each column
   * @param line line number of the row
   * @throws UserError when the table becomes too large to be kept in memory
   */
  add(values: readonly string[], line: number): void {
    this.#reserve(1);
    for (const [i, column] of this.#columns.entries()) this.#bytes += column.push(values[i] as string);
    this.#checkBytes();
    this.#lines[this.#rows++] = line;
  }

  /**
   * Adds rows column by column.
   * @param rows number of rows
   * @param valuesOf returns that many values of a column
   * @throws UserError when the table becomes too large to be kept in memory
   */
  async addColumns(rows: number, valuesOf: (column: number) => Promise<Iterable<string>>): Promise<void> {
    this.#reserve(rows);
    for (const [i, column] of this.#columns.entries()) {
      for (const value of await valuesOf(i)) this.#bytes += column.push(value);
      this.#checkBytes();
    }
    for (let i = 0; i < rows; i++, this.#rows++) this.#lines[this.#rows] = this.#rows + 1;
  }

  /** Allocates line numbers for more rows. */
  #reserve(more: number): void {
    const rows = this.#rows + more;
    if (rows > SAMPLES_MAX || rows * this.header.length > CELLS_MAX)
      throw new UserError(
        `${this.source} has more rows than fit in memory (${rows} of ${this.header.length} columns); ` +
          'remove rows or columns',
      );
    if (rows <= this.#lines.length) return;
    const longer = new Uint32Array(Math.max(this.#lines.length * 2, rows));
    longer.set(this.#lines);
    this.#lines = longer;
  }

  #checkBytes(): void {
    if (this.#bytes > TEXT_BYTES_MAX)
      throw new UserError(
        `${this.source} holds more than ${TEXT_BYTES_MAX} bytes of text, too much for memory; remove rows or columns`,
      );
  }

  /**
   * Returns the table. A column with neither heading nor values is left out. Another column without a heading is named by
   * its number: "column 3".
   * @param placeWord unit of row positions in messages
   */
  build({ problems, notes, file }: ReadFile, placeWord: 'line' | 'row'): RawTable {
    const lines = this.#lines;
    const rows = this.#rows;
    const isBare = (column: TextColumn): boolean => {
      for (let row = 0; row < rows; row++) if (column.get(row) !== '') return false;
      return true;
    };
    const bare = this.#columns.flatMap((column, i) => (this.header[i] === '' && isBare(column) ? [i] : []));
    const kept = this.#columns.map((_, i) => i).filter((i) => !bare.includes(i));
    const columns = kept.map((i) => this.#columns[i] as TextColumn);
    const names = bare.map((i) => `column ${i + 1}`);
    return {
      source: this.source,
      header: kept.map((i) => this.header[i] || `column ${i + 1}`),
      rows,
      cell: (row, column) => (columns[column] as TextColumn).get(row),
      place: (row) => `${placeWord} ${lines[row]}`,
      unnamed: new Set(kept.flatMap((i, at) => (this.header[i] === '' ? [at] : []))),
      notes:
        bare.length === 0
          ? notes
          : [...notes, `${listed(names)}: no heading and no values (trailing delimiter), ignored`],
      problems,
      file,
    };
  }
}
