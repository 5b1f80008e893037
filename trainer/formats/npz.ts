import { zipSync } from 'fflate';
import { canonicalBytes, inNameOrder, type Tensor } from '../../shared/files/tensors.js';

/** The header is padded to a multiple of this, so that the numbers are aligned. */
const ALIGNMENT = 64;
/** Files in an archive have a date; this one makes equal tensors equal bytes. */
const DATE = new Date(1980, 0, 1);

/** Tensors as NumPy's .npz: an archive with NAME.npy for each, not compressed. `numpy.load` gives arrays by name. */
export function encodeNpz(tensors: readonly Tensor[]): Uint8Array {
  const files = inNameOrder(tensors).map((tensor) => [`${tensor.name}.npy`, encodeNpy(tensor)]);
  return zipSync(Object.fromEntries(files), { level: 0, mtime: DATE });
}

/** One tensor as NumPy's .npy, version 1.0: little-endian float32, row-major. */
function encodeNpy({ shape, values }: Tensor): Uint8Array {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': (${sizes}), }`;
  const prefix = 10;
  const length = Math.ceil((prefix + dictionary.length + 1) / ALIGNMENT) * ALIGNMENT - prefix;
  const head = new TextEncoder().encode(`${dictionary.padEnd(length - 1)}\n`);
  const numbers = canonicalBytes(values);
  const bytes = new Uint8Array(prefix + length + numbers.length);
  bytes.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, length & 0xff, length >> 8]);
  bytes.set(head, prefix);
  bytes.set(numbers, prefix + length);
  return bytes;
}
