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

/** Whether files of ours can hold a tensor of this name: printable ASCII characters, no spaces. */
export function isTensorName(name: string): boolean {
  return /^[\x21-\x7e]+$/.test(name);
}

/**
 * Sorted by name, as files and hashes list tensors: by character code, the same in every language.
 * @throws AssertionError on an empty or doubled name, one with other than printable ASCII characters, or values that
 * do not fit the shape
 */
export function inNameOrder(tensors: readonly Tensor[]): Tensor[] {
  const sorted = [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1));
  sorted.forEach(({ name, shape, values }, i) => {
    assert(isTensorName(name), `"${name}" is no name for a tensor`);
    assert(name !== sorted[i + 1]?.name, `two tensors are named ${name}`);
    const elements = shape.reduce((product, size) => product * size, 1);
    assert(values.length === elements, `tensor ${name} of shape [${shape}] has ${values.length} values`);
  });
  return sorted;
}

/** Whether this machine keeps the low byte first, as files do. */
const IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** A copy of float32 values as little-endian bytes, every NaN made canonical. */
export function canonicalBytes(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  writeCanonical(values, bytes);
  return bytes;
}

/** The same into bytes that are there: `values.length * 4` of them, at a multiple of four. */
export function writeCanonical(values: Float32Array, bytes: Uint8Array): void {
  const source = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const target = new Uint32Array(bytes.buffer, bytes.byteOffset, values.length);
  target.set(source);
  for (let i = 0; i < target.length; i++)
    if (((target[i] as number) & 0x7fffffff) > INFINITY_BITS) target[i] = CANONICAL_NAN;
  if (IS_LITTLE_ENDIAN) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let i = 0; i < target.length; i++) view.setUint32(4 * i, target[i] as number, true);
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
