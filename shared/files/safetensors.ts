/*
 * safetensors files (github.com/huggingface/safetensors) of float32, float16 and bfloat16. The two 16-bit types are read as
 * float32. A file has the length of the header as a little-endian 64-bit integer; the header, JSON {name: {dtype, shape,
 * data_offsets: [begin, end]}, "__metadata__": {text: text}}, padded with spaces; and the tensors' bytes without gaps.
 */
import { UserError } from '../errors.js';
import { writeFileAtomically } from './atomic-file.js';
import { toBfloat16, toFloat16 } from './half-floats.js';
import { readInto, withRegularFile } from './read-file.js';
import {
  DTYPE_BYTES,
  FILE_BYTES_MAX,
  type FileDtype,
  floats,
  headerLength,
  METADATA,
  type Metadata,
  parseHeader,
  refusal,
  type Safetensors,
} from './safetensors-decoding.js';
import { canonicalBytes, inNameOrder, type Tensor, writeCanonical } from './tensors.js';

const ALIGNMENT = 8;
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
