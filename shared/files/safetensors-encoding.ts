/* Writing the bytes of safetensors files; see safetensors.ts. No module of Node: browsers write checkpoints, to compare them. */
import { toBfloat16, toFloat16 } from './half-floats.js';
import { DTYPE_BYTES, type FileDtype, METADATA, type Metadata } from './safetensors-decoding.js';
import { bytesOf, canonicalPieces, inNameOrder, namedInOrder, type Tensor, valuesIn } from './tensors.js';

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
  if (dtype === 'F32') yield* canonicalPieces(sorted);
  else for (const { values } of sorted) yield halves(values, dtype);
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
export interface TensorFile {
  /** Bytes after the header. */
  readonly dataBytes: number;
  /**
   * The bytes after the header, as the tensors are when each piece is taken.
   * @param bytesMax of a piece
   */
  pieces(bytesMax?: number): Generator<Uint8Array>;
  header(metadata: Metadata): Uint8Array;
}

/** Puts tensors into the order of a file. Nothing is copied. */
export function layOutFile(tensors: readonly Tensor[]): TensorFile {
  const sorted = namedInOrder(tensors);
  return {
    dataBytes: bytesOf(sorted),
    pieces: (bytesMax) => canonicalPieces(sorted, bytesMax),
    header: (metadata) => headerOf(sorted, metadata),
  };
}

/** @param sorted in name order */
function headerOf(
  sorted: readonly Pick<Tensor, 'name' | 'shape'>[],
  metadata: Metadata,
  dtype: FileDtype = 'F32',
): Uint8Array {
  const entries: [string, unknown][] = Object.keys(metadata).length > 0 ? [[METADATA, metadata]] : [];
  let end = 0;
  for (const { name, shape } of sorted) {
    const begin = end;
    end += valuesIn(shape) * DTYPE_BYTES[dtype];
    entries.push([name, { dtype, shape, data_offsets: [begin, end] }]);
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const header = new Uint8Array(8 + Math.ceil(json.length / ALIGNMENT) * ALIGNMENT).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(header.length - 8), true);
  header.set(json, 8);
  return header;
}
