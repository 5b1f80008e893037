/*
 * safetensors files (github.com/huggingface/safetensors) of float32, float16 and bfloat16. The two 16-bit types are read as
 * float32. A file has the length of the header as a little-endian 64-bit integer; the header, JSON {name: {dtype, shape,
 * data_offsets: [begin, end]}, "__metadata__": {text: text}}, padded with spaces; and the tensors' bytes without gaps.
 */
import * as v from 'valibot';
import { UserError } from '../errors.js';
import { writeFileAtomically } from './atomic-file.js';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from './half-floats.js';
import { readInto, withRegularFile } from './read-file.js';
import { canonicalBytes, inNameOrder, type Tensor, writeCanonical } from './tensors.js';

/** Largest header that is read. */
const HEADER_BYTES_MAX = 16 * 2 ** 20;
/** Most tensors of a file that is read. */
const TENSORS_MAX = 2 ** 16;
/** Largest file that is read: the most that Node reads at once. */
const FILE_BYTES_MAX = 2 ** 31 - 1;

const ALIGNMENT = 8;
const METADATA = '__metadata__';

type Metadata = Readonly<Record<string, string>>;

/** The type of the numbers in a file. */
export type FileDtype = 'F32' | 'F16' | 'BF16';

/** Bytes of one number. */
const DTYPE_BYTES: Readonly<Record<FileDtype, number>> = { F32: 4, F16: 2, BF16: 2 };
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

/**
 * The bytes of a file, piece by piece. Tensors are in name order and NaN is canonicalised, so that the SHA-256 of all bytes
 * after the header is `weightsSha256` if the numbers are float32.
 * @param dtype F16 and BF16 halve the file. Each number is rounded to nearest, ties to even
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

/** Values as 16-bit floats, little-endian. */
function halves(values: Float32Array, dtype: 'F16' | 'BF16'): Uint8Array {
  const encode = dtype === 'F16' ? toFloat16 : toBfloat16;
  const bytes = new Uint8Array(2 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setUint16(2 * i, encode(value), true);
  });
  return bytes;
}

/** A file whose metadata, such as a hash of its data, is not known yet. */
export interface PackedTensors {
  /** A copy of all bytes after the header. */
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
  // `header` is called later, and must not keep the values.
  const layout = sorted.map(({ name, shape, values: { length } }) => ({ name, shape, values: { length } }));
  return { data, header: (metadata) => headerOf(layout, metadata) };
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

function refusal(file: string, what: string): UserError {
  return new UserError(
    `${file} ${what}; it is damaged or not a safetensors file of floats: save or fetch it again`,
  );
}

/** Length of the header, from the first bytes of a file of `fileBytes`. */
function headerLength(first: Uint8Array, fileBytes: number, file: string): number {
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
function parseHeader(
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
    const elements = entry.shape.reduce((product, length) => product * length, 1);
    if (end - begin !== DTYPE_BYTES[dtype] * elements)
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

/** Saves tensors atomically. @throws UserError when the file cannot be written */
export async function saveSafetensors(
  path: string,
  tensors: readonly Tensor[],
  metadata?: Metadata,
  dtype?: FileDtype,
): Promise<void> {
  await writeFileAtomically(path, encodeSafetensors(tensors, metadata, dtype));
}

/**
 * Loads tensors. The header is read and checked first, so that memory is allocated only for tensors that exist.
 * @param bytesMax largest file that is read
 * @throws UserError when the file cannot be read, is larger or is malformed
 */
export async function loadSafetensors(path: string, bytesMax = FILE_BYTES_MAX): Promise<Safetensors> {
  return withRegularFile(path, {}, async (file, size) => {
    if (size > bytesMax)
      throw new UserError(
        `${path} has ${size} bytes, more than the ${bytesMax} allowed; check that it is the right file`,
      );
    const read = async (bytes: number, position: number): Promise<Uint8Array> => {
      const into = new Uint8Array(bytes);
      if (await readInto(file, into, position)) return into;
      throw refusal(path, 'ends while it is read');
    };
    const headerBytes = headerLength(await read(Math.min(8, size), 0), size, path);
    const { metadata, tensorEntries } = parseHeader(await read(headerBytes, 8), size - 8 - headerBytes, path);
    const tensors: Tensor[] = [];
    for (const { name, shape, begin, end, dtype } of tensorEntries)
      tensors.push({ name, shape, values: floats(await read(end - begin, 8 + headerBytes + begin), dtype) });
    return { metadata, tensors };
  });
}

/**
 * A JSON object, and the first name that occurs twice in one of its objects. JSON.parse keeps the last of such values, and
 * other readers keep the first, so that two readers would read different files.
 */
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

/** The first name that an object of a valid JSON text has twice. */
function doubledName(text: string): string | undefined {
  const objects: Set<string>[] = [];
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '{' || character === '[') objects.push(new Set());
    else if (character === '}' || character === ']') objects.pop();
    else if (character === '"') {
      const begin = i++;
      while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
      let next = i + 1;
      while (/\s/.test(text[next] ?? '')) next++;
      if (text[next] !== ':') continue;
      const name = JSON.parse(text.slice(begin, i + 1)) as string;
      const names = objects.at(-1);
      if (names?.has(name)) return name;
      names?.add(name);
    }
  }
  return undefined;
}

function floats(data: Uint8Array, dtype: FileDtype): Float32Array {
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
