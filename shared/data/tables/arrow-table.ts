/*
 * Reads Arrow files as tables of text, so that the same rules apply as for other files: the file format, which Feather has been since
 * its version 2, and the stream format.
 */
import {
  type Batch,
  type Codec,
  type Column,
  CompressionType,
  type DataType,
  setCompressionCodec,
  TimeUnit,
  Type,
  tableFromIPC,
} from '@uwdata/flechette';
import { decompressZstd } from 'hyparquet-compressors';
import { checkArrow } from './arrow-check.js';
import { decompressLz4Frame } from './lz4-frame.js';
import { listed } from './problems.js';
import { type RawTable, TableBuilder } from './raw-table.js';
import {
  type Content,
  columnError,
  decimalText,
  isoTime,
  readAs,
  readableColumns,
  storedTable,
  textOf,
} from './stored-values.js';

/** Batches of two types, which the library does not name. */
type ViewBatch = Batch<unknown> & { view(row: number): Uint8Array };
type DictionaryBatch = Batch<unknown> & {
  readonly dictionary: Column<unknown>;
  key(row: number): number | bigint;
};

/** Types that hold further columns. */
const NESTED: ReadonlySet<number> = new Set([
  ...[Type.List, Type.LargeList, Type.FixedSizeList, Type.ListView, Type.LargeListView],
  ...[Type.Struct, Type.Map, Type.Union],
]);
/** Types of bytes that have no text of their own. */
const OPAQUE: ReadonlySet<number> = new Set([
  ...[Type.Binary, Type.LargeBinary, Type.BinaryView, Type.FixedSizeBinary, Type.Interval],
]);
/** Units of time, by their number. */
const UNITS = ['s', 'ms', 'µs', 'ns'];
/** Bytes of an entry of a column of views: length, and text or its place. */
const VIEW_BYTES = 16;

/**
 * Reads an Arrow file as a table. Columns of lists and records are left out, with a note.
 * @param source named in messages: the path
 * @throws UserError that names the file and the remedy
 */
export function arrowTable(source: string, bytes: Buffer): Promise<RawTable> {
  return readAs(source, 'Arrow', () => read(source, bytes));
}

async function read(source: string, bytes: Buffer): Promise<RawTable> {
  const cutOff = checkArrow(bytes);
  // The library has one codec of a kind for all files.
  setCompressionCodec(CompressionType.LZ4_FRAME, { decode: decompressLz4Frame } as Codec);
  setCompressionCodec(CompressionType.ZSTD, {
    decode: (input, size) => decompressZstd(input, new Uint8Array(size)),
  } as Codec);
  const table = tableFromIPC(bytes, { useBigInt: true, useBigIntTimestamp: true, useDecimalInt: true });
  const all = table.schema.fields.map(({ name, type }, at) => ({
    ...{ name: name ?? '', type: valueType(type), column: table.children[at] as Column<unknown> },
  }));
  const { readable, notes } = readableColumns(all, ({ type }) => contentOf(type));
  const builder = new TableBuilder(
    source,
    readable.map(({ name }) => name),
  );
  const batchRows = all[0]?.column.data.map(({ length }) => length) ?? [];
  for (const [at, rows] of batchRows.entries())
    await builder.addColumns(rows, async (i) => {
      const { name, column } = readable[i] as (typeof readable)[number];
      return namedTexts(name, column.data[at], rows);
    });
  return storedTable(builder, [...cutOff, ...notes, ...notesOnTimes(readable)]);
}

function contentOf({ typeId }: DataType): Content {
  if (NESTED.has(typeId)) return 'nested';
  return OPAQUE.has(typeId) ? 'opaque' : 'text';
}

/** The type of the values that a column stands for: a dictionary and runs only say how they are stored. */
function valueType(type: DataType): DataType {
  if (type.typeId === Type.Dictionary) return valueType(type.dictionary);
  if (type.typeId === Type.RunEndEncoded) return valueType(type.children[1].type);
  return type;
}

/** Durations and times of day have no text of their own. */
function notesOnTimes(fields: readonly { readonly name: string; readonly type: DataType }[]): string[] {
  const times = fields.flatMap(({ name, type }) =>
    type.typeId === Type.Duration || type.typeId === Type.Time ? [`${name} (${UNITS[type.unit]})`] : [],
  );
  return times.length === 0 ? [] : [`${listed(times)}: durations or times of day, read as numbers`];
}

/** The texts of the values of a batch. Errors name the column. */
function* namedTexts(name: string, batch: Batch<unknown> | undefined, rows: number): Generator<string> {
  try {
    if (batch?.length !== rows) throw new Error(`${batch?.length ?? 0} values, not ${rows}`);
    yield* batchTexts(batch);
  } catch (error) {
    throw columnError(name, error);
  }
}

/** The texts of the values of a batch; empty for a null. */
function* batchTexts(batch: Batch<unknown>): Generator<string> {
  const { length, type } = batch;
  if (length === 0) return;
  if (type.typeId === Type.RunEndEncoded) return yield* runTexts(batch);
  checkCount(batch);
  const textAt = textReader(batch);
  const hasNulls = batch.nullCount > 0 && type.typeId !== Type.Null;
  for (let row = 0; row < length; row++) yield hasNulls && !batch.isValid(row) ? '' : textAt(row);
}

/** @throws Error when buffers are too short, which the library would read as other values */
function checkCount(batch: Batch<unknown>): void {
  const { length, type, nullCount, validity, values, offsets } = batch;
  const bits = (bytes: { readonly length: number } | undefined): number => 8 * (bytes?.length ?? 0);
  const count = values?.length ?? 0;
  const { typeId } = type;
  const isEnough =
    typeId === Type.Null ||
    ((nullCount === 0 || bits(validity) >= length) &&
      (typeId === Type.Bool
        ? bits(values) >= length
        : typeId === Type.Decimal
          ? count >= length * Math.max(1, type.bitWidth / 64)
          : typeId === Type.Utf8View
            ? count >= length * VIEW_BYTES
            : (typeId === Type.Utf8 || typeId === Type.LargeUtf8 ? (offsets?.length ?? 0) - 1 : count) >=
              length));
  if (!isEnough) throw new Error('fewer values than rows');
}

/** Reads the text of a value that is not null. */
function textReader(batch: Batch<unknown>): (row: number) => string {
  const { type } = batch;
  switch (type.typeId) {
    case Type.Null:
      return () => '';
    case Type.Utf8:
    case Type.LargeUtf8:
      return (row) => textOf(bytesAt(batch, row));
    case Type.Utf8View:
      return (row) => textOf(viewedBytes(batch as ViewBatch, row));
    case Type.Dictionary:
      return dictionaryReader(batch as DictionaryBatch);
    case Type.Date:
      return (row) => isoTime(batch.value(row) as number)?.slice(0, 10) ?? '';
    case Type.Timestamp:
      return (row) => isoTime(milliseconds(batch.value(row) as bigint, type.unit)) ?? '';
    case Type.Decimal:
      return (row) => decimalText(BigInt(batch.value(row) as number | bigint), type.scale);
    default:
      return (row) => String(batch.value(row));
  }
}

/** The bytes of a value between its offsets. */
function bytesAt({ offsets, values }: Batch<unknown>, row: number): Uint8Array {
  const [from, to] = [Number(offsets[row]), Number(offsets[row + 1])];
  if (!(from >= 0 && from <= to && to <= values.length))
    throw new Error('a text that lies outside of its batch');
  return (values as Uint8Array).subarray(from, to);
}

function viewedBytes(batch: ViewBatch, row: number): Uint8Array {
  const bytes = batch.view(row);
  const { buffer, byteOffset } = batch.values as Uint8Array;
  if (bytes.length !== new DataView(buffer, byteOffset).getInt32(row * VIEW_BYTES, true))
    throw new Error('a text that lies outside of its batch');
  return bytes;
}

function dictionaryReader(batch: DictionaryBatch): (row: number) => string {
  const texts = textsOfDictionary(batch.dictionary);
  return (row) => {
    const text = texts[Number(batch.key(row))];
    if (text === undefined) throw new Error(`entry ${batch.key(row)} of a dictionary of ${texts.length}`);
    return text;
  };
}

/** Batches share their dictionaries. */
const dictionaries = new WeakMap<Column<unknown>, string[]>();

function textsOfDictionary(dictionary: Column<unknown>): string[] {
  let texts = dictionaries.get(dictionary);
  if (texts === undefined) {
    texts = dictionary.data.flatMap((batch) => [...batchTexts(batch)]);
    dictionaries.set(dictionary, texts);
  }
  return texts;
}

/** The texts of values that are stored once for a run of rows. */
function* runTexts({ length, children }: Batch<unknown>): Generator<string> {
  const [runs, values] = children as [Batch<unknown>, Batch<unknown>];
  let row = 0;
  let run = 0;
  for (const text of batchTexts(values)) {
    for (const end = Number(runs.values[run++]); row < Math.min(end, length); row++) yield text;
  }
  if (row < length) throw new Error('fewer values than rows');
}

function milliseconds(time: bigint, unit: number): number {
  if (unit === TimeUnit.SECOND) return Number(time) * 1000;
  if (unit === TimeUnit.MILLISECOND) return Number(time);
  return Number(time / (unit === TimeUnit.MICROSECOND ? 1000n : 1_000_000n));
}
