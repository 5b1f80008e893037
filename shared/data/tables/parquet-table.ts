/*
 * Reads Parquet files as tables of text, so that the same rules apply as for other files.
 */
import {
  type FileMetaData,
  parquetMetadataAsync,
  parquetScan,
  parquetSchema,
  type SchemaElement,
  type SchemaTree,
} from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { compressors } from 'hyparquet-compressors';
import { shortened } from './problems.js';
import { type RawTable, TableBuilder } from './raw-table.js';
import {
  type Content,
  columnError,
  decimalText,
  GROUP_ROWS_MAX,
  isoTime,
  readAs,
  readableColumns,
  storedTable,
  textOf,
} from './stored-values.js';

/** Most bytes of a page, decompressed. */
const PAGE_BYTES_MAX = 2 ** 28;

/** Converts values to the text that a CSV file of the same table would have. */
const PARSERS = {
  stringFromBytes: (bytes: Uint8Array | undefined) => bytes && textOf(bytes),
  jsonFromBytes: (bytes: Uint8Array | undefined) => bytes && textOf(bytes),
  dateFromDays: (days: number | undefined) => timeText(days, (value) => value * 86_400_000)?.slice(0, 10),
  timestampFromMilliseconds: (time: bigint | undefined) => timeText(time, Number),
  timestampFromMicroseconds: (time: bigint | undefined) => timeText(time, (value) => Number(value / 1000n)),
  timestampFromNanoseconds: (time: bigint | undefined) =>
    timeText(time, (value) => Number(value / 1_000_000n)),
  // Columns of geometry are left out; only decimal numbers in bytes are given this type, so that they arrive as they are.
  geometryFromBytes: (bytes: Uint8Array | undefined) => bytes,
};

/** The least and the largest value of a column, which nobody reads here, may be cut in the middle of a letter. */
const STATISTICS_PARSERS = { ...PARSERS, stringFromBytes: () => '', jsonFromBytes: () => '' };

/** A time as text; undefined without a value. 0 is a time, too: 1 January 1970. */
function timeText<T>(value: T | undefined, millisecondsOf: (value: T) => number): string | undefined {
  return value === undefined || value === null ? undefined : isoTime(millisecondsOf(value));
}

/**
 * Reads a Parquet file as a table. Columns of lists and records are left out, with a note.
 * @param source named in messages: the path
 * @throws UserError that names the file and the remedy
 */
export function parquetTable(source: string, bytes: Buffer): Promise<RawTable> {
  return readAs(source, 'Parquet', () => read(source, bytes));
}

async function read(source: string, bytes: Buffer): Promise<RawTable> {
  const file = {
    byteLength: bytes.length,
    slice: (from: number, to?: number) =>
      Uint8Array.prototype.slice.call(bytes, from, to).buffer as ArrayBuffer,
  };
  const options = { parsers: PARSERS, geoparquet: false };
  const metadata = await parquetMetadataAsync(file, { ...options, parsers: STATISTICS_PARSERS });
  checkPages(metadata, bytes);
  for (const element of metadata.schema) nameByConvertedType(element);
  const all = parquetSchema(metadata).children.map((tree) => ({ name: tree.element.name, tree }));
  const { readable, notes } = readableColumns(all, ({ tree }) => contentOf(tree));
  const header = readable.map(({ name }) => name);
  const scales = new Map(readable.flatMap(({ tree }) => takeDecimal(tree.element)));
  const builder = new TableBuilder(source, header);
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    // A scan caches what it has read, so each group gets a new one.
    const scan = await parquetScan({
      ...options,
      file,
      metadata,
      columns: header,
      compressors,
      useOffsetIndex: false,
    });
    await builder.addColumns(rowEnd - rowStart, async (i) => {
      const column = header[i] as string;
      const values = await readColumn(column, () => scan.readColumn({ column, rowStart, rowEnd }));
      if (values.length !== rowEnd - rowStart)
        throw new Error(
          `column ${shortened(column)} holds ${values.length} values, not ${rowEnd - rowStart}`,
        );
      return texts(values, scales.get(column));
    });
    rowStart = rowEnd;
  }
  return storedTable(builder, notes);
}

function contentOf({ element, children }: SchemaTree): Content {
  if (children.length > 0 || element.repetition_type === 'REPEATED') return 'nested';
  return isOpaque(element) ? 'opaque' : 'text';
}

/** Reads a column. Errors name it. */
async function readColumn<T>(column: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw columnError(column, error);
  }
}

/** @param scale digits behind the point of decimal numbers; undefined: the column has other values */
function* texts(values: Iterable<unknown>, scale: number | undefined): Generator<string> {
  for (const value of values)
    if (value === null || value === undefined) yield '';
    else if (scale !== undefined) yield decimalText(unscaled(value), scale);
    else if (typeof value === 'string') yield value;
    else if (value instanceof Uint8Array)
      throw new Error('a column holds bytes that are neither text nor numbers');
    else yield String(value);
}

/**
 * Describes an element by the older of the two ways in which Parquet names types. Some programs write the newer one alone, by which
 * hyparquet reads a decimal number as a whole one, and a date as a number of days.
 */
function nameByConvertedType(element: SchemaElement): void {
  const { logical_type: type } = element;
  if (element.converted_type !== undefined) return;
  if (type?.type === 'DECIMAL') {
    element.converted_type = 'DECIMAL';
    element.scale ??= type.scale;
  } else if (type?.type === 'DATE' || type?.type === 'BSON') element.converted_type = type.type;
}

/**
 * Makes hyparquet return the whole numbers that a column of decimals stores. It would divide them by a power of ten after rounding
 * them to float64, so that a number of more than 15 digits is rounded twice.
 * @returns name and scale; none when the column has other values
 */
function takeDecimal(element: SchemaElement): [name: string, scale: number][] {
  if (element.converted_type !== 'DECIMAL') return [];
  delete element.converted_type;
  delete element.logical_type;
  if (/BYTE_ARRAY$/.test(element.type ?? '')) element.logical_type = { type: 'GEOMETRY' };
  return [[element.name, element.scale ?? 0]];
}

/** The whole number that a decimal is stored as: big-endian and in two's complement, if it is bytes. */
function unscaled(value: unknown): bigint {
  if (!(value instanceof Uint8Array)) return BigInt(value as number | bigint);
  const magnitude = value.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  return BigInt.asIntN(8 * value.length, magnitude);
}

/** Whether a column holds bytes that have no text of their own. */
function isOpaque({ type, converted_type: kind, logical_type: logical }: SchemaElement): boolean {
  if (kind === 'BSON' || kind === 'INTERVAL') return true;
  if (logical?.type === 'GEOMETRY' || logical?.type === 'GEOGRAPHY') return true;
  return (
    type === 'FIXED_LEN_BYTE_ARRAY' &&
    kind !== 'DECIMAL' &&
    logical?.type !== 'UUID' &&
    logical?.type !== 'FLOAT16'
  );
}

/**
 * Checks the sizes in all headers before memory is allocated for them: a damaged file may claim any number of values.
 * @throws Error that names an impossible size
 */
function checkPages({ row_groups: groups }: FileMetaData, bytes: Buffer): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const { num_rows: rowsOfGroup, columns } of groups) {
    const rows = Number(rowsOfGroup);
    if (!(rows >= 0 && rows <= GROUP_ROWS_MAX)) throw new Error(`a row group of ${rows} rows`);
    for (const { meta_data: chunk } of columns) {
      if (chunk === undefined) throw new Error('a column is in another file');
      // Some writers set the offset of a missing dictionary to 0.
      const from = Number(chunk.dictionary_page_offset || chunk.data_page_offset);
      const to = from + Number(chunk.total_compressed_size);
      if (!(from >= 0 && from <= to && to <= bytes.length))
        throw new Error('a column that lies outside of the file');
      const reader = { view: new DataView(view.buffer, view.byteOffset + from, to - from), offset: 0 };
      while (reader.offset < reader.view.byteLength - 1) {
        const page = parquetHeader(reader);
        const { compressed_page_size: size, uncompressed_page_size: whole } = page;
        if (!(size >= 0 && reader.offset + size <= reader.view.byteLength))
          throw new Error('a page that is cut off');
        if (!(whole >= 0 && whole <= PAGE_BYTES_MAX)) throw new Error(`a page of ${whole} bytes`);
        const data = page.data_page_header ?? page.data_page_header_v2;
        if (
          data !== undefined &&
          chunk.path_in_schema.length === 1 &&
          !(data.num_values >= 0 && data.num_values <= rows)
        )
          throw new Error(`a page of ${data.num_values} values in a group of ${rows} rows`);
        const entries = page.dictionary_page_header?.num_values ?? 0;
        if (!(entries >= 0 && entries <= whole))
          throw new Error(`a dictionary of ${entries} values in ${whole} bytes`);
        reader.offset += size;
      }
    }
  }
}
