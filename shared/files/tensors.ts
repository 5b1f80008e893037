import { assert } from '../errors.js';
import { sha256OfPieces } from './sha256.js';

/** A named array of float32, row-major. */
export interface Tensor {
  readonly name: string;
  /** [] for a single number. */
  readonly shape: readonly number[];
  /** As many as the product of the shape; may lie in shared memory. */
  readonly values: Float32Array;
}

/** The one NaN that files and hashes know: quiet, positive, without payload. Machines differ in what they produce. */
const CANONICAL_NAN = 0x7fc00000;
const INFINITY_BITS = 0x7f800000;

/**
 * Sorted by name, as files and hashes list tensors: by character code, the same in every language.
 * @throws AssertionError on an empty or doubled name, one with other than printable ASCII characters, or values that
 * do not fit the shape
 */
export function inNameOrder(tensors: readonly Tensor[]): Tensor[] {
  const sorted = [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1));
  sorted.forEach(({ name, shape, values }, i) => {
    assert(/^[\x21-\x7e]+$/.test(name), `"${name}" is no name for a tensor`);
    assert(name !== sorted[i + 1]?.name, `two tensors are named ${name}`);
    const elements = shape.reduce((product, size) => product * size, 1);
    assert(values.length === elements, `tensor ${name} of shape [${shape}] has ${values.length} values`);
  });
  return sorted;
}

/** A copy of float32 values as little-endian bytes, every NaN made canonical. */
export function canonicalBytes(values: Float32Array): Uint8Array {
  const source = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bytes = new Uint8Array(4 * source.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < source.length; i++) {
    const bits = source[i] as number;
    view.setUint32(4 * i, (bits & 0x7fffffff) > INFINITY_BITS ? CANONICAL_NAN : bits, true);
  }
  return bytes;
}

/**
 * The identity of trained weights (design section 10): SHA-256 over the parameters in name order, each as its
 * little-endian float32 bytes with NaN canonicalised. Shapes and names beyond their order do not enter.
 */
export function weightsSha256(parameters: readonly Tensor[]): string {
  return sha256OfPieces(allBytes(inNameOrder(parameters)));
}

function* allBytes(tensors: readonly Tensor[]): Generator<Uint8Array> {
  for (const { values } of tensors) yield canonicalBytes(values);
}
