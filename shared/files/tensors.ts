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

/**
 * Tensors in name order, the order of files and hashes: by character code, independent of the locale.
 * @throws AssertionError on an empty, invalid or duplicate name, or when the values do not fit the shape
 */
export function inNameOrder(tensors: readonly Tensor[]): Tensor[] {
  const sorted = [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1));
  sorted.forEach(({ name, shape, values }, i) => {
    assert(isTensorName(name), `"${name}" is not a valid tensor name`);
    assert(name !== sorted[i + 1]?.name, `two tensors are named ${name}`);
    const elements = shape.reduce((product, size) => product * size, 1);
    assert(values.length === elements, `tensor ${name} of shape [${shape}] has ${values.length} values`);
  });
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
 * The identity of trained weights: SHA-256 over the parameters in name order, each as its little-endian float32 bytes with
 * NaN canonicalised. Shapes do not enter, and names only by their order.
 */
export function weightsSha256(parameters: readonly Tensor[]): string {
  return sha256OfPieces(allBytes(inNameOrder(parameters)));
}

function* allBytes(tensors: readonly Tensor[]): Generator<Uint8Array> {
  for (const { values } of tensors) yield canonicalBytes(values);
}
