import { assert } from '../errors.js';
import { sha256OfPieces } from './sha256.js';

/** A named array of float32, row-major. */
export interface Tensor {
  readonly name: string;
  /** [] for a scalar. */
  readonly shape: readonly number[];
  /** As many values as the product of the shape. They may lie in shared memory. */
  readonly values: Float32Array;
}

/** The only NaN in files and hashes: quiet, positive, without payload. Machines produce different NaN bits. */
const CANONICAL_NAN = 0x7fc00000;
const INFINITY_BITS = 0x7f800000;

/** Whether a name is valid for a tensor in our files: printable ASCII characters without spaces. */
export function isTensorName(name: string): boolean {
  return /^[\x21-\x7e]+$/.test(name);
}

/** How many values a tensor of this shape has. */
export function valuesIn(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Bytes of the values of tensors. */
export function bytesOf(tensors: readonly Pick<Tensor, 'shape'>[]): number {
  return tensors.reduce((sum, { shape }) => sum + 4 * valuesIn(shape), 0);
}

/**
 * Tensors in name order, the order of files and hashes: by character code, independent of the locale. Their values are not
 * looked at.
 * @throws AssertionError on an empty, invalid or duplicate name
 */
export function namedInOrder<T extends Pick<Tensor, 'name'>>(tensors: readonly T[]): T[] {
  const sorted = [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1));
  sorted.forEach(({ name }, i) => {
    assert(isTensorName(name), `"${name}" is not a valid tensor name`);
    assert(name !== sorted[i + 1]?.name, `two tensors are named ${name}`);
  });
  return sorted;
}

/**
 * Tensors in name order.
 * @throws AssertionError on an empty, invalid or duplicate name, or when the values do not fit the shape
 */
export function inNameOrder(tensors: readonly Tensor[]): Tensor[] {
  const sorted = namedInOrder(tensors);
  for (const { name, shape, values } of sorted)
    assert(
      values.length === valuesIn(shape),
      `tensor ${name} of shape [${shape}] has ${values.length} values`,
    );
  return sorted;
}

/** Whether no number of these tensors is NaN or infinite. */
export function areFinite(tensors: readonly Tensor[]): boolean {
  return tensors.every(({ values }) => values.every(Number.isFinite));
}

/** Whether this machine is little-endian, as files are. */
const IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** A copy of float32 values as little-endian bytes, with NaN canonicalised. */
export function canonicalBytes(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  writeCanonical(values, bytes);
  return bytes;
}

/** Writes the same into existing bytes: `values.length * 4` of them, at a multiple of four. */
function writeCanonical(values: Float32Array, bytes: Uint8Array): void {
  const source = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const target = new Uint32Array(bytes.buffer, bytes.byteOffset, values.length);
  target.set(source);
  for (let i = 0; i < target.length; i++)
    if (((target[i] as number) & 0x7fffffff) > INFINITY_BITS) target[i] = CANONICAL_NAN;
  if (IS_LITTLE_ENDIAN) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let i = 0; i < target.length; i++) view.setUint32(4 * i, target[i] as number, true);
}

/** Most bytes that are taken of tensors at once. */
const PIECE_BYTES = 4 * 2 ** 20;

/**
 * Float32 values one after the other as little-endian bytes, with NaN canonicalised, in pieces. Values are read when their piece
 * is taken.
 * @param bytesMax of a piece, a multiple of four
 */
export function* canonicalPieces(tensors: readonly Tensor[], bytesMax = PIECE_BYTES): Generator<Uint8Array> {
  let left = bytesOf(tensors);
  let piece = new Uint8Array(Math.min(bytesMax, left));
  let filled = 0;
  for (const tensor of tensors) {
    // Once for each tensor: they may lie in a file.
    const { values } = tensor;
    assert(values.length === valuesIn(tensor.shape), `tensor ${tensor.name} has ${values.length} values`);
    for (let from = 0; from < values.length; ) {
      const count = Math.min(values.length - from, (piece.length - filled) / 4);
      writeCanonical(values.subarray(from, from + count), piece.subarray(filled, filled + 4 * count));
      from += count;
      filled += 4 * count;
      if (filled < piece.length) continue;
      yield piece;
      left -= filled;
      // The one that takes a piece may keep it.
      piece = new Uint8Array(Math.min(bytesMax, left));
      filled = 0;
    }
  }
}

/**
 * The identity of trained weights: SHA-256 over the parameters in name order, each as its little-endian float32 bytes with
 * NaN canonicalised. Shapes do not enter, and names only by their order.
 */
export function weightsSha256(parameters: readonly Tensor[]): string {
  return sha256OfPieces(canonicalPieces(inNameOrder(parameters)));
}
