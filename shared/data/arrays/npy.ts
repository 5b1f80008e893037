/*
 * NumPy's .npy files (numpy.org/doc/stable/reference/generated/numpy.lib.format.html): a magic number, a version, the length of a
 * header, a header in Python's syntax, {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)}, and the elements.
 */
import { UserError } from '../../errors.js';
import { fromFloat16 } from '../../files/half-floats.js';

/** What elements are. */
export type ElementKind = 'float' | 'integer' | 'byte' | 'boolean';

/** An array. */
export interface NumpyArray {
  readonly shape: readonly number[];
  readonly kind: ElementKind;
  /** NumPy's name of the type, without the byte order: 'f4'. */
  readonly type: string;
  /** Row-major. Whole numbers of 64 bits are exact up to 2^53. */
  readonly values: Uint8Array | Float32Array | Float64Array;
}

/** A type: what its elements are, their bytes, and how one is read. */
interface ElementReader {
  readonly kind: ElementKind;
  readonly size: number;
  readonly read: (view: DataView, at: number, isLittle: boolean) => number;
}

const READERS: Readonly<Record<string, ElementReader>> = {
  b1: { kind: 'boolean', size: 1, read: (view, at) => view.getUint8(at) },
  u1: { kind: 'byte', size: 1, read: (view, at) => view.getUint8(at) },
  i1: { kind: 'integer', size: 1, read: (view, at) => view.getInt8(at) },
  u2: { kind: 'integer', size: 2, read: (view, at, little) => view.getUint16(at, little) },
  i2: { kind: 'integer', size: 2, read: (view, at, little) => view.getInt16(at, little) },
  u4: { kind: 'integer', size: 4, read: (view, at, little) => view.getUint32(at, little) },
  i4: { kind: 'integer', size: 4, read: (view, at, little) => view.getInt32(at, little) },
  u8: { kind: 'integer', size: 8, read: (view, at, little) => Number(view.getBigUint64(at, little)) },
  i8: { kind: 'integer', size: 8, read: (view, at, little) => Number(view.getBigInt64(at, little)) },
  f2: { kind: 'float', size: 2, read: (view, at, little) => fromFloat16(view.getUint16(at, little)) },
  f4: { kind: 'float', size: 4, read: (view, at, little) => view.getFloat32(at, little) },
  f8: { kind: 'float', size: 8, read: (view, at, little) => view.getFloat64(at, little) },
};

const MAGIC = '\x93NUMPY';
const AXES_MAX = 32;

/**
 * Decodes an array. Fortran order and big-endian numbers are read as what they mean.
 * @param name where it comes from, for errors
 * @throws UserError when it is damaged, or its elements are no numbers
 */
export function decodeNpy(bytes: Uint8Array, name: string): NumpyArray {
  const damaged = (what: string): never => {
    throw new UserError(`${name} is damaged or no NumPy array: ${what}; save it again with numpy.save`);
  };
  if (String.fromCharCode(...bytes.subarray(0, 6)) !== MAGIC) damaged('it does not begin as one');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isFirst = bytes[6] === 1;
  const start = isFirst ? 10 : 12;
  if (bytes.length < start) damaged('it is too short');
  const length = isFirst ? view.getUint16(8, true) : view.getUint32(8, true);
  if (start + length > bytes.length) damaged('its header is cut off');
  const header = new TextDecoder('latin1').decode(bytes.subarray(start, start + length));
  const descr = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  if (descr === undefined) {
    if (/'descr':\s*\[/.test(header))
      throw new UserError(
        `${name} has records with several fields, which are no numbers; save each field as an array of its own: ` +
          'numpy.savez(file, a=x["a"], b=x["b"])',
      );
    return damaged('its header has no type');
  }
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1] ?? damaged('its header has no order');
  const sizes = /'shape':\s*\(([\d\s,L]*)\)/.exec(header)?.[1] ?? damaged('its header has no shape');
  const shape = sizes.split(',').flatMap((size) => (size.trim() === '' ? [] : [Number.parseInt(size, 10)]));
  const type = descr.slice(1);
  const reader = READERS[type];
  if (reader === undefined) throw unreadable(name, descr);
  if (shape.length > AXES_MAX || !shape.every(Number.isSafeInteger)) damaged(`its shape is (${sizes})`);
  const count = shape.reduce((product, size) => product * size, 1);
  const data = bytes.subarray(start + length);
  if (data.length !== count * reader.size)
    damaged(`it has ${data.length} bytes for ${count} elements of ${reader.size}`);
  const values = valuesOf(data, count, reader, descr.startsWith('>') ? 'big' : 'little');
  return { shape, kind: reader.kind, type, values: order === 'True' ? rowMajor(values, shape) : values };
}

/** @param descr NumPy's name of the type */
function unreadable(name: string, descr: string): UserError {
  const remedy = /O$/.test(descr)
    ? 'Python objects; make it an array of numbers, such as x.astype("float32")'
    : /[SU]\d*$/.test(descr)
      ? 'texts; number them, such as numpy.unique(x, return_inverse=True)[1]'
      : `elements of type ${descr}; convert them, such as x.astype("float32")`;
  return new UserError(`${name} has ${remedy}`);
}

function valuesOf(
  data: Uint8Array,
  count: number,
  { kind, size, read }: ElementReader,
  byteOrder: 'little' | 'big',
): NumpyArray['values'] {
  if (kind === 'byte' || kind === 'boolean') return data.slice();
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const values = kind === 'float' && size <= 4 ? new Float32Array(count) : new Float64Array(count);
  for (let i = 0; i < count; i++) values[i] = read(view, i * size, byteOrder === 'little');
  return values;
}

/** Elements that stand column by column, row by row. */
function rowMajor<T extends NumpyArray['values']>(values: T, shape: readonly number[]): T {
  const result = values.slice() as T;
  const index = shape.map(() => 0);
  const steps = shape.map((_, axis) => shape.slice(0, axis).reduce((product, size) => product * size, 1));
  let from = 0;
  for (let at = 0; at < result.length; at++) {
    result[at] = values[from] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const step = steps[axis] as number;
      index[axis] = (index[axis] as number) + 1;
      from += step;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      from -= step * (shape[axis] as number);
      index[axis] = 0;
    }
  }
  return result;
}
