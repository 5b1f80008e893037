import { UserError } from '../../errors.js';
import { DIMENSIONS_MAX } from '../manifest.js';
import { otherContent } from '../other-content.js';

/** The contents of an IDX file of bytes: row-major, the first dimension counts the samples. */
export interface IdxArray {
  readonly dimensions: readonly number[];
  readonly bytes: Uint8Array;
}

const UNSIGNED_BYTES = 0x08;

/**
 * Reads the IDX format (yann.lecun.com/exdb/mnist): two zero bytes, the element type, the number of dimensions; each
 * dimension as a big-endian 32-bit integer; then the elements, and nothing else.
 * @param file names the file in errors
 * @returns a view of `bytes`, not a copy
 * @throws UserError when the file is not a complete IDX file of unsigned bytes
 */
export function parseIdx(bytes: Uint8Array, file: string): IdxArray {
  const refuse = (what: string): never => {
    throw new UserError(`${file} ${what}; download the file again and unpack it`);
  };
  const other = otherContent(bytes);
  if (other !== undefined) throw new UserError(`${file} ${other}`);
  if (bytes.length < 4 || bytes[0] !== 0 || bytes[1] !== 0) return refuse('is not an IDX file');
  if (bytes[2] !== UNSIGNED_BYTES) {
    return refuse(`holds IDX elements of type 0x${hex(bytes[2])}, not unsigned bytes (0x08)`);
  }
  const rank = bytes[3] ?? 0;
  if (rank === 0 || rank > DIMENSIONS_MAX) {
    return refuse(`claims ${rank} dimensions (1 to ${DIMENSIONS_MAX} are allowed)`);
  }
  const header = 4 + 4 * rank;
  if (bytes.length < header) return refuse('is truncated in its header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, header);
  const dimensions = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const expected = header + dimensions.reduce((product, size) => product * size, 1);
  if (expected === header) return refuse('holds no samples');
  if (bytes.length !== expected) {
    const fault = bytes.length < expected ? 'truncated' : 'altered';
    return refuse(`is ${fault}: ${bytes.length} bytes, where its header promises ${expected}`);
  }
  return { dimensions, bytes: bytes.subarray(header) };
}

function hex(byte = 0): string {
  return byte.toString(16).padStart(2, '0');
}
