/*
 * safetensors (github.com/huggingface/safetensors) of float32, or of float16 or bfloat16, which are float32 again when read: the length of the header as a little-endian 64-bit
 * integer; the header, JSON {name: {dtype, shape, data_offsets: [begin, end]}, "__metadata__": {text: text}}, padded
 * with spaces; then the tensors' bytes without gaps.
 */
import * as v from 'valibot';
import { UserError } from '../errors.js';
import { writeFileAtomically } from './atomic-file.js';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from './half-floats.js';
import { readBoundedFile } from './read-file.js';
import { canonicalBytes, inNameOrder, type Tensor, writeCanonical } from './tensors.js';

/** Largest header that is read. */
const HEADER_BYTES_MAX = 16 * 2 ** 20;
/** Most tensors of a file that is read. */
const TENSORS_MAX = 2 ** 16;
/** Largest file that is read: what Node reads in one piece. */
const FILE_BYTES_MAX = 2 ** 31 - 1;

const ALIGNMENT = 8;
const METADATA = '__metadata__';

type Metadata = Readonly<Record<string, string>>;

/** What a number is in a file. */
export type FileDtype = 'F32' | 'F16' | 'BF16';

/** Bytes of a number. */
const DTYPE_BYTES: Readonly<Record<FileDtype, number>> = { F32: 4, F16: 2, BF16: 2 };
const isDtype = (dtype: string): dtype is FileDtype => Object.hasOwn(DTYPE_BYTES, dtype);

/** What a file holds; `tensors` in the order of their bytes. */
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

/**
 * The bytes of a file, piece by piece. Tensors lie in name order and with NaN canonicalised, so that the SHA-256 of
 * all that follows the header is `weightsSha256` where numbers are float32.
 * @param dtype F16 and BF16 halve the file; each number is the nearest one, ties to even
 */
export function* encodeSafetensors(
  tensors: readonly Tensor[],
  metadata: Metadata = {},
  dtype: FileDtype = 'F32',
): Generator<Uint8Array> {
  const sorted = inNameOrder(tensors);
  yield headerOf(sorted, metadata, dtype);
  for (const { values } of sorted) yield dtype === 'F32' ? canonicalBytes(values) : halves(values, dtype);
}

/** Numbers of 16 bits, little-endian. */
function halves(values: Float32Array, dtype: 'F16' | 'BF16'): Uint8Array {
  const encode = dtype === 'F16' ? toFloat16 : toBfloat16;
  const bytes = new Uint8Array(2 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setUint16(2 * i, encode(value), true);
  });
  return bytes;
}

/** A file whose metadata is not yet known, such as a hash of what it holds. */
export interface PackedTensors {
  /** All that follows the header, copied. */
  readonly data: Uint8Array;
  readonly header: (metadata: Metadata) => Uint8Array;
}

/** Copies tensors into the order of a file, with NaN canonicalised. */
export function packTensors(tensors: readonly Tensor[]): PackedTensors {
  const sorted = inNameOrder(tensors);
  const data = new Uint8Array(sorted.reduce((sum, { values }) => sum + 4 * values.length, 0));
  let begin = 0;
  for (const { values } of sorted) {
    writeCanonical(values, data.subarray(begin, begin + 4 * values.length));
    begin += 4 * values.length;
  }
  // The values may be elsewhere by then.
  const places = sorted.map(({ name, shape, values: { length } }) => ({ name, shape, values: { length } }));
  return { data, header: (metadata) => headerOf(places, metadata) };
}

/** @param sorted in name order */
function headerOf(
  sorted: readonly (Pick<Tensor, 'name' | 'shape'> & { readonly values: { readonly length: number } })[],
  metadata: Metadata,
  dtype: FileDtype = 'F32',
): Uint8Array {
  const entries: [string, unknown][] = Object.keys(metadata).length > 0 ? [[METADATA, metadata]] : [];
  let end = 0;
  for (const { name, shape, values } of sorted) {
    const begin = end;
    end += values.length * DTYPE_BYTES[dtype];
    entries.push([name, { dtype, shape, data_offsets: [begin, end] }]);
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const header = new Uint8Array(8 + Math.ceil(json.length / ALIGNMENT) * ALIGNMENT).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - 8), true);
  header.set(json, 8);
  return header;
}

/**
 * Reads the bytes of a file, whoever wrote it.
 * @param file what to name in errors
 * @throws UserError when they are not a whole safetensors file of floats of 16 or 32 bits
 */
export function decodeSafetensors(bytes: Uint8Array, file: string): Safetensors {
  const refuse = (what: string): never => {
    throw new UserError(
      `${file} ${what}; it is damaged or no safetensors file of floats: save or fetch it again`,
    );
  };
  if (bytes.length < 8) return refuse('is too short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const headerBytes = Number(view.getBigUint64(0, true));
  if (headerBytes > Math.min(HEADER_BYTES_MAX, bytes.length - 8)) {
    return refuse(`claims a header of ${headerBytes} bytes`);
  }
  const header = parseJson(bytes.subarray(8, 8 + headerBytes));
  if (header === undefined) return refuse('has a header that is not a JSON object');
  const { [METADATA]: metadata = {}, ...entries } = header;
  if (!v.is(MetadataSchema, metadata)) return refuse(`has a malformed ${METADATA}`);
  if (Object.keys(entries).length > TENSORS_MAX) return refuse(`holds more than ${TENSORS_MAX} tensors`);

  const data = bytes.subarray(8 + headerBytes);
  const places = Object.entries(entries).map(([name, entry]) => {
    if (!v.is(EntrySchema, entry)) return refuse(`describes tensor ${quote(name)} in a malformed way`);
    const { dtype } = entry;
    if (!isDtype(dtype)) return refuse(`holds tensor ${quote(name)} as ${quote(dtype)}`);
    const [begin, end] = entry.data_offsets;
    const elements = entry.shape.reduce((product, length) => product * length, 1);
    if (end - begin !== DTYPE_BYTES[dtype] * elements)
      return refuse(`gives tensor ${quote(name)} bytes that do not fit its shape`);
    return { name, shape: entry.shape, begin, end, dtype };
  });
  places.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, begin, end } of places) {
    if (begin !== covered) return refuse(`has a gap or an overlap before tensor ${quote(name)}`);
    covered = end;
  }
  if (covered !== data.length) return refuse(`has ${data.length} bytes of tensors and describes ${covered}`);
  return {
    metadata,
    tensors: places.map(({ name, shape, begin, end, dtype }) => ({
      name,
      shape,
      values: floats(data.subarray(begin, end), dtype),
    })),
  };
}

/** Saves tensors atomically. @throws UserError when the file cannot be written */
export async function saveSafetensors(
  path: string,
  tensors: readonly Tensor[],
  metadata?: Metadata,
  dtype?: FileDtype,
): Promise<void> {
  await writeFileAtomically(path, encodeSafetensors(tensors, metadata, dtype));
}

/** Loads tensors. @throws UserError when the file cannot be read or is malformed */
export async function loadSafetensors(path: string): Promise<Safetensors> {
  return decodeSafetensors(await readBoundedFile(path, FILE_BYTES_MAX), path);
}

function parseJson(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(
      new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes),
    );
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function floats(data: Uint8Array, dtype: FileDtype): Float32Array {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const values = new Float32Array(data.length / DTYPE_BYTES[dtype]);
  if (dtype !== 'F32') {
    const decode = dtype === 'F16' ? fromFloat16 : fromBfloat16;
    return values.map((_, i) => decode(view.getUint16(2 * i, true)));
  }
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < bits.length; i++) bits[i] = view.getUint32(4 * i, true);
  return values;
}

/** A name from outside, fit for one line of a message. */
function quote(name: string): string {
  return JSON.stringify(name.slice(0, 80));
}
