/*
 * Checks the metadata of an Arrow file before the library reads it. The library trusts all counts and sizes: a damaged one may stand
 * for two thousand million entries.
 */
import { CompressionType } from '@uwdata/flechette';
import { GROUP_ROWS_MAX } from './stored-values.js';
import { ARROW_CONTINUATION, ARROW_MAGIC, isArrowFile } from './table-bytes.js';

/** Most bytes of all values, decompressed. */
const VALUE_BYTES_MAX = 2 ** 30;
const MESSAGES_MAX = 2 ** 16;
/** Most fields of a schema, those inside of lists and records among them. */
const FIELDS_MAX = 2 ** 17;
const FIELD_DEPTH_MAX = 64;
/** Most digits behind the point of a decimal: the largest has 76 digits. */
const SCALE_MAX = 1024;
/** LZ4 stores at most so many bytes in one. */
const LZ4_RATIO_MAX = 255;
/** A dictionary of so few entries may be longer than its bytes: truth values take a bit. */
const SMALL_DICTIONARY = 64;

/** Ends a file in the file format: length of the footer and magic. */
const TAIL_BYTES = 4 + ARROW_MAGIC.length;
const SCHEMA = 1;
const DICTIONARY_BATCH = 2;
const RECORD_BATCH = 3;
const DECIMAL = 7;
const UNION = 14;
const TYPES_LAST = 26;
/** Of the metadata, from which on a buffer has no number of a page. */
const VERSION_4 = 3;

/**
 * @returns observations: a stream may end where it was cut off
 * @throws Error that says what is wrong
 */
export function checkArrow(bytes: Buffer): string[] {
  const check = new Check(bytes);
  if (isArrowFile(bytes)) return check.file();
  return check.stream();
}

/** A view of bytes whose getters throw when they reach beyond it. */
const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The table of FlatBuffers that a position points to. @returns the position of a field, if the table has it */
function tableAt(view: DataView, at: number): (field: number) => number | undefined {
  const table = at + view.getInt32(at, true);
  const fields = table - view.getInt32(table, true);
  const size = view.getUint16(fields, true);
  return (field) => {
    const offset = field < size ? view.getUint16(fields + field, true) : 0;
    return offset === 0 ? undefined : table + offset;
  };
}

/**
 * @param at position of a vector; undefined: there is none
 * @returns positions of its entries, of `stride` bytes each
 */
function vectorAt(view: DataView, at: number | undefined, stride: number): number[] {
  if (at === undefined) return [];
  const base = at + view.getInt32(at, true);
  const length = view.getUint32(base, true);
  if (base + 4 + length * stride > view.byteLength)
    throw new Error(`a list of ${length} entries that is cut off`);
  return Array.from({ length }, (_, i) => base + 4 + i * stride);
}

const int64 = (view: DataView, at: number): number => Number(view.getBigInt64(at, true));

class Check {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  #messages = 0;
  #fields = 0;
  #valueBytes = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
  }

  file(): string[] {
    const end = this.#bytes.length - TAIL_BYTES;
    if (this.#bytes.toString('latin1', end + 4) !== ARROW_MAGIC) throw new Error('the file is cut off');
    const footer = tableAt(this.#view, end - this.#view.getInt32(end, true));
    this.#schema(this.#view, footer(6));
    for (const field of [8, 10])
      for (const block of vectorAt(this.#view, footer(field), 24)) this.#message(int64(this.#view, block));
    vectorAt(this.#view, footer(12), 4);
    return [];
  }

  stream(): string[] {
    let at = 0;
    while (at < this.#bytes.length) {
      const next = this.#message(at);
      if (next === undefined) return [];
      at = next;
    }
    return ['the stream has no end mark, so rows at its end may be missing'];
  }

  /** @returns where the next message begins; undefined: this one is the end mark */
  #message(begin: number): number | undefined {
    if (++this.#messages > MESSAGES_MAX) throw new Error(`more than ${MESSAGES_MAX} batches`);
    let at = begin;
    let length = this.#view.getInt32(at, true);
    at += 4;
    if (length === ARROW_CONTINUATION) {
      length = this.#view.getInt32(at, true);
      at += 4;
    }
    if (length === 0) return undefined;
    if (length < 0 || at + length > this.#bytes.length) throw new Error('a message that is cut off');
    const head = viewOf(this.#bytes.subarray(at, at + length));
    at += length;
    const message = tableAt(head, 0);
    const bodyField = message(10);
    const size = bodyField === undefined ? 0 : int64(head, bodyField);
    if (!(size >= 0 && at + size <= this.#bytes.length)) throw new Error('a batch that is cut off');
    const body = viewOf(this.#bytes.subarray(at, at + size));
    const [versionField, typeField, header] = [message(4), message(6), message(8)];
    const version = versionField === undefined ? 0 : head.getInt16(versionField, true);
    const type = typeField === undefined ? 0 : head.getUint8(typeField);
    if (type === SCHEMA) this.#schema(head, header);
    else if (header === undefined) throw new Error('a message without content');
    else if (type === RECORD_BATCH) this.#batch(head, header, body, version);
    else if (type === DICTIONARY_BATCH) this.#dictionary(head, header, body, version);
    return at + size;
  }

  #schema(view: DataView, at: number | undefined): void {
    if (at === undefined) throw new Error('it has no schema');
    const schema = tableAt(view, at);
    const endianness = schema(4);
    if (endianness !== undefined && view.getInt16(endianness, true) !== 0)
      throw new Error('values are big-endian');
    for (const field of vectorAt(view, schema(6), 4)) this.#field(view, field, 0);
    vectorAt(view, schema(8), 4);
  }

  #field(view: DataView, at: number, depth: number): void {
    if (++this.#fields > FIELDS_MAX || depth > FIELD_DEPTH_MAX) throw new Error('too many fields');
    const field = tableAt(view, at);
    const [kind, type] = [field(8), field(10)];
    const typeId = kind === undefined ? 0 : view.getUint8(kind);
    if (typeId > TYPES_LAST) throw new Error(`a type of number ${typeId}, which is not known here`);
    if (type !== undefined && typeId === UNION) vectorAt(view, tableAt(view, type)(6), 4);
    if (type !== undefined && typeId === DECIMAL) {
      const scale = tableAt(view, type)(6);
      if (scale !== undefined && Math.abs(view.getInt32(scale, true)) > SCALE_MAX)
        throw new Error(`a decimal of scale ${view.getInt32(scale, true)}`);
    }
    for (const child of vectorAt(view, field(14), 4)) this.#field(view, child, depth + 1);
    vectorAt(view, field(16), 4);
  }

  #dictionary(view: DataView, at: number, body: DataView, version: number): void {
    const data = tableAt(view, at)(6);
    if (data === undefined) throw new Error('a dictionary without values');
    const before = this.#valueBytes;
    const entries = this.#batch(view, data, body, version);
    if (entries > Math.max(this.#valueBytes - before, SMALL_DICTIONARY))
      throw new Error(`a dictionary of ${entries} values in ${this.#valueBytes - before} bytes`);
  }

  /** @returns number of rows */
  #batch(view: DataView, at: number, body: DataView, version: number): number {
    const batch = tableAt(view, at);
    const rowsField = batch(4);
    const rows = rowsField === undefined ? 0 : int64(view, rowsField);
    if (!(rows >= 0 && rows <= GROUP_ROWS_MAX)) throw new Error(`a batch of ${rows} rows`);
    vectorAt(view, batch(6), 16);
    const page = version < VERSION_4 ? 8 : 0;
    const buffers = vectorAt(view, batch(8), 16 + page);
    const codec = codecOf(view, batch(10));
    for (const buffer of buffers) {
      const [from, length] = [int64(view, buffer + page), int64(view, buffer + page + 8)];
      if (!(from >= 0 && length >= 0 && from + length <= body.byteLength))
        throw new Error('values that lie outside of their batch');
      this.#valueBytes +=
        codec === undefined || length === 0 ? length : decompressed(body, from, length, codec);
      if (this.#valueBytes > VALUE_BYTES_MAX) throw new Error(`more than ${VALUE_BYTES_MAX} bytes of values`);
    }
    for (const variadic of vectorAt(view, batch(12), 8)) {
      const count = int64(view, variadic);
      if (!(count >= 0 && count <= buffers.length)) throw new Error(`a column of ${count} buffers`);
    }
    return rows;
  }
}

/** The compression of a batch; undefined: none. */
function codecOf(view: DataView, at: number | undefined): number | undefined {
  if (at === undefined) return undefined;
  const codec = tableAt(view, at)(4);
  return codec === undefined ? CompressionType.LZ4_FRAME : view.getInt8(codec);
}

/** Bytes of a compressed buffer, which begins with their number; -1: it is not compressed. */
function decompressed(body: DataView, from: number, length: number, codec: number): number {
  const size = int64(body, from);
  const isPossible = size <= length * LZ4_RATIO_MAX || codec !== CompressionType.LZ4_FRAME;
  if (size < -1 || !isPossible) throw new Error(`${size} bytes of values in ${length} bytes`);
  return Math.max(size, 0) + length;
}
