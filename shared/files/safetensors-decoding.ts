/*
 * Decoding of safetensors files, also in browsers; see safetensors.ts for what a file holds.
 */
import * as v from 'valibot';
import { UserError } from '../errors.js';
import { fromBfloat16, fromFloat16 } from './half-floats.js';
import { doubledName } from './json.js';
import { sha256Hex } from './sha256.js';
import type { FileParts } from './storage.js';
import { type Tensor, valuesIn } from './tensors.js';

/** Largest header that is read. */
const HEADER_BYTES_MAX = 16 * 2 ** 20;
/** Most tensors of a file that is read. */
const TENSORS_MAX = 2 ** 16;
/** Largest file that is read: the most that Node reads at once. */
export const FILE_BYTES_MAX = 2 ** 31 - 1;
/** The name of what is no tensor in a header. */
export const METADATA = '__metadata__';

export type Metadata = Readonly<Record<string, string>>;

/** The type of the numbers in a file. */
export type FileDtype = 'F32' | 'F16' | 'BF16';

/** Bytes of one number. */
export const DTYPE_BYTES: Readonly<Record<FileDtype, number>> = { F32: 4, F16: 2, BF16: 2 };
const isDtype = (dtype: string): dtype is FileDtype => Object.hasOwn(DTYPE_BYTES, dtype);

/** The content of a file, with the tensors in the order of their bytes. */
export interface Safetensors {
  readonly tensors: readonly Tensor[];
  readonly metadata: Metadata;
}

const size = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(FILE_BYTES_MAX));
const EntrySchema = v.object({
  dtype: v.pipe(v.string(), v.maxLength(16)),
  shape: v.pipe(v.array(size), v.maxLength(16)),
  data_offsets: v.tuple([size, size]),
});
const MetadataSchema = v.record(v.string(), v.string());

/** A tensor's entry in the header: its byte range counts from the end of the header. */
interface TensorEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
  readonly dtype: FileDtype;
}

/**
 * Decodes the bytes of a file.
 * @param file the file's name, for errors
 * @throws UserError when they are not a complete safetensors file of 16-bit or 32-bit floats
 */
export function decodeSafetensors(bytes: Uint8Array, file: string): Safetensors {
  const headerBytes = headerLength(bytes.subarray(0, 8), bytes.length, file);
  const data = bytes.subarray(8 + headerBytes);
  const { metadata, tensorEntries } = parseHeader(bytes.subarray(8, 8 + headerBytes), data.length, file);
  return {
    metadata,
    tensors: tensorEntries.map(({ name, shape, begin, end, dtype }) => ({
      name,
      shape,
      values: floats(data.subarray(begin, end), dtype),
    })),
  };
}

/**
 * The content of a file of which the tensors stay there: each is read whenever its values are looked at.
 * @param file the file's name, for errors
 * @throws UserError as `decodeSafetensors`; when values are looked at, too, if they are not those that were read first
 */
export function openSafetensors(parts: FileParts, file: string): Safetensors {
  const { size } = parts;
  const headerBytes = headerLength(parts.read(0, 8), size, file);
  const dataAt = 8 + headerBytes;
  const { metadata, tensorEntries } = parseHeader(parts.read(8, headerBytes), size - dataAt, file);
  return { metadata, tensors: tensorEntries.map((entry) => new TensorInFile(parts, dataAt, entry, file)) };
}

/** A tensor whose values are in a file. */
class TensorInFile implements Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** Of the values as they were read first. */
  private sha256: string | undefined;

  constructor(
    private readonly parts: FileParts,
    private readonly dataAt: number,
    private readonly entry: TensorEntry,
    private readonly file: string,
  ) {
    this.name = entry.name;
    this.shape = entry.shape;
  }

  get values(): Float32Array {
    const { begin, end, dtype } = this.entry;
    const bytes = this.parts.read(this.dataAt + begin, end - begin);
    const sha256 = sha256Hex(bytes);
    this.sha256 ??= sha256;
    if (bytes.length < end - begin || this.sha256 !== sha256)
      throw new UserError(`${this.file} has changed while it was read; leave it alone, and try again`);
    return floats(bytes, dtype);
  }
}

/** What is wrong with a file. */
export function refusal(file: string, what: string): UserError {
  return new UserError(
    `${file} ${what}; it is damaged or not a safetensors file of floats: save or fetch it again`,
  );
}

/** Length of the header, from the first bytes of a file of `fileBytes`. */
export function headerLength(first: Uint8Array, fileBytes: number, file: string): number {
  if (first.length < 8) throw refusal(file, 'is too short');
  const headerBytes = Number(new DataView(first.buffer, first.byteOffset, 8).getBigUint64(0, true));
  if (headerBytes > Math.min(HEADER_BYTES_MAX, fileBytes - 8))
    throw refusal(file, `claims a header of ${headerBytes} bytes`);
  return headerBytes;
}

/**
 * Parses a header and checks it against the number of bytes after it: every byte belongs to exactly one tensor, and no
 * name occurs twice. Nothing is allocated for a header that claims more bytes than there are.
 */
export function parseHeader(
  bytes: Uint8Array,
  dataBytes: number,
  file: string,
): { metadata: Metadata; tensorEntries: readonly TensorEntry[] } {
  const refuse = (what: string): never => {
    throw refusal(file, what);
  };
  const header = parseJson(bytes);
  if (header === undefined) return refuse('has a header that is not a JSON object');
  if (header.twice !== undefined) return refuse(`names ${quote(header.twice)} twice`);
  const { [METADATA]: metadata = {}, ...entries } = header.value;
  if (!v.is(MetadataSchema, metadata)) return refuse(`has a malformed ${METADATA}`);
  if (Object.keys(entries).length > TENSORS_MAX) return refuse(`holds more than ${TENSORS_MAX} tensors`);
  const tensorEntries = Object.entries(entries).map(([name, entry]): TensorEntry => {
    if (!v.is(EntrySchema, entry)) return refuse(`describes tensor ${quote(name)} in a malformed way`);
    const { dtype } = entry;
    if (!isDtype(dtype)) return refuse(`holds tensor ${quote(name)} as ${quote(dtype)}`);
    const [begin, end] = entry.data_offsets;
    if (end - begin !== DTYPE_BYTES[dtype] * valuesIn(entry.shape))
      return refuse(`gives tensor ${quote(name)} bytes that do not fit its shape`);
    return { name, shape: entry.shape, begin, end, dtype };
  });
  tensorEntries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of tensorEntries) {
    if (begin !== covered) return refuse(`has a gap or an overlap before tensor ${quote(name)}`);
    covered = end;
  }
  if (covered !== dataBytes) return refuse(`has ${dataBytes} bytes of tensors and describes ${covered}`);
  return { metadata, tensorEntries };
}

/** A JSON object, and the first name that occurs twice in one of its objects. */
function parseJson(bytes: Uint8Array): { value: Record<string, unknown>; twice?: string } | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const twice = doubledName(text);
    return { value: { ...value }, ...(twice !== undefined && { twice }) };
  } catch {
    return undefined;
  }
}

/** The numbers of a tensor. */
export function floats(data: Uint8Array, dtype: FileDtype): Float32Array {
  const values = new Float32Array(data.length / DTYPE_BYTES[dtype]);
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  if (dtype !== 'F32') {
    const decode = dtype === 'F16' ? fromFloat16 : fromBfloat16;
    return values.map((_, i) => decode(view.getUint16(2 * i, true)));
  }
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < bits.length; i++) bits[i] = view.getUint32(4 * i, true);
  return values;
}

/** A name from outside, safe for one line of a message. */
function quote(name: string): string {
  return JSON.stringify(name.slice(0, 80));
}
