/*
 * Arrays that NumPy has saved as data sets: one sample for each element of the first axis.
 */
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { unzipSync } from 'fflate';
import { UserError } from '../../errors.js';
import { readBoundedFile } from '../../files/read-file.js';
import { sha256Hex } from '../../files/sha256.js';
import { type Column, type Dataset, nameAfter, packDataset } from '../dataset.js';
import { type HeldOut, heldOutOf } from '../held-out.js';
import { FIELD_NAME, FIELD_NAME_RULE } from '../manifest.js';
import { decodeNpy, type NumpyArray } from './npy.js';

/** Largest file, and most bytes of an archive when it is unpacked. */
const BYTES_MAX = 2 ** 31 - 1;
/** Whole numbers are exact as float32 up to here. */
const EXACT_MAX = 2 ** 24;

/** How arrays become fields of samples. */
export interface NumpyOptions {
  /** Other names of arrays: { image: 'x' } makes the array x the field image. Arrays that are not named keep their names. */
  readonly names?: Readonly<Record<string, string>>;
  /** What a network sees of a stored byte: byte * scale + shift, by field. Default: the byte itself. */
  readonly bytes?: Readonly<Record<string, { readonly scale: number; readonly shift?: number }>>;
  /** Which samples are held out, where the arrays are not named x_train and x_test. Default: a fifth. */
  readonly split?: HeldOut;
}

/** The data of arrays. */
export interface NumpyData {
  readonly train: Dataset;
  readonly test?: Dataset;
  /** What was decided, one line each. */
  readonly notes: readonly string[];
}

/**
 * Reads a data set from a `.npz` archive, as `numpy.savez(file, image=x, label=y)` writes it; of a single `.npy` array the field is
 * called after the file. Whole numbers, one a sample, are labels (i32); bytes stay bytes; all other numbers become float32, and
 * whole numbers among them must be exact. Fortran order, big-endian and 16-bit numbers are read as what they mean.
 * Arrays that are called x_train and x_test give the field x of both data sets; others are split by the content of the samples.
 * @throws UserError that names the array and the remedy
 */
export async function numpy(path: string, options: NumpyOptions = {}): Promise<NumpyData> {
  const arrays = await readArrays(path);
  const renamed = Object.entries(options.names ?? {});
  const missing = renamed.find(([, array]) => !arrays.has(array));
  const known = [...arrays.keys()].join(', ');
  if (missing !== undefined)
    throw new UserError(`${path} has no array ${missing[1]}; its arrays are ${known}`);
  const fieldOf = (array: string): string => renamed.find(([, own]) => own === array)?.[0] ?? array;
  const sides = { train: new Map<string, NumpyArray>(), test: new Map<string, NumpyArray>() };
  const whole = new Map<string, NumpyArray>();
  for (const [name, array] of arrays) {
    const [, stem = '', side] = /^(.+)_(train|test)$/.exec(name) ?? [];
    if (side === 'train' || side === 'test') sides[side].set(fieldOf(stem), array);
    else whole.set(fieldOf(name), array);
  }
  const name = nameAfter(basename(path).replace(/\.np[yz]$/i, ''), 'arrays');
  if (sides.train.size === 0 && sides.test.size === 0) {
    const set = columnsOf(path, whole, options);
    return { ...split(path, name, set, options.split ?? {}), notes: set.notes };
  }
  if (whole.size > 0)
    throw new UserError(
      `${path} has arrays for training and test, and others: ${[...whole.keys()].join(', ')}; leave these out, or name them ..._train ` +
        'and ..._test',
    );
  const train = columnsOf(path, sides.train, options);
  const pack = (side: string, { samples, columns }: Samples): Dataset =>
    packDataset(`${name}-${side}`, samples, columns, sha256Hex);
  if (sides.test.size === 0) return { train: pack('train', train), notes: train.notes };
  const test = columnsOf(path, sides.test, options);
  checkSameFields(path, train, test);
  return { train: pack('train', train), test: pack('test', test), notes: train.notes };
}

interface Samples {
  readonly samples: number;
  readonly columns: Readonly<Record<string, Column>>;
  readonly notes: readonly string[];
}

/** The arrays of a file, by name. @throws UserError when it is none of NumPy */
export async function readArrays(path: string): Promise<ReadonlyMap<string, NumpyArray>> {
  if ((await stat(path).catch(() => undefined))?.isDirectory())
    throw new UserError(`${path} is a folder; name a .npz or .npy file`, 2);
  const bytes = await readBoundedFile(path, BYTES_MAX);
  if (!/\.npz$/i.test(path)) {
    const name = basename(path).replace(/\.npy$/i, '');
    return new Map([[name, decodeNpy(bytes, path)]]);
  }
  let total = 0;
  let files: Readonly<Record<string, Uint8Array>>;
  try {
    files = unzipSync(bytes, {
      filter({ name, originalSize }) {
        total += originalSize;
        return name.endsWith('.npy') && total <= BYTES_MAX;
      },
    });
  } catch {
    throw new UserError(`${path} is damaged or no archive of NumPy; save it again with numpy.savez`);
  }
  if (total > BYTES_MAX)
    throw new UserError(`${path} has ${total} bytes when it is unpacked, more than ${BYTES_MAX}; split it`);
  const arrays = Object.entries(files).map(([name, data]): [string, NumpyArray] => {
    const array = name.replace(/\.npy$/, '');
    return [array, decodeNpy(data, `${path}: the array ${array}`)];
  });
  if (arrays.length === 0) throw new UserError(`${path} has no arrays; save some with numpy.savez`);
  return new Map(arrays);
}

/** The columns of arrays with one number of samples. @throws UserError that names all arrays that cannot be used */
export function columnsOf(
  path: string,
  arrays: ReadonlyMap<string, NumpyArray>,
  { bytes = {} }: Pick<NumpyOptions, 'bytes'>,
): Samples {
  const problems: string[] = [];
  const counts = new Map([...arrays].map(([name, { shape }]) => [name, shape[0] ?? 0]));
  const [samples = 0] = counts.values();
  const columns: Record<string, Column> = {};
  const notes: string[] = [];
  for (const [name, array] of arrays) {
    const count = counts.get(name) as number;
    if (!FIELD_NAME.test(name))
      problems.push(`${name} is no name of a field, which is ${FIELD_NAME_RULE}; give it one with names`);
    else if (count === 0) problems.push(`${name} has no samples`);
    else if (count !== samples)
      problems.push(`${name} has ${count} samples, and ${[...counts.keys()][0]} has ${samples}`);
    else {
      const column = columnOf(array, bytes[name]);
      if (typeof column === 'string') problems.push(`${name} ${column}`);
      else {
        columns[name] = column;
        notes.push(
          `${name}: ${array.type} ${JSON.stringify(array.shape)} as ${column.dtype} [${column.shape.join(', ')}]`,
        );
      }
    }
  }
  const unscaled = Object.keys(bytes).find((name) => columns[name]?.dtype !== 'u8');
  if (unscaled !== undefined)
    problems.push(`${unscaled} is to be scaled, and is no array of bytes with more than one a sample`);
  if (problems.length > 0)
    throw new UserError(`${path} cannot be used as a data set: ${problems.join('; ')}; correct the arrays`);
  return { samples, columns, notes };
}

/** A column, or why the array is none. */
function columnOf(
  { shape, kind, values }: NumpyArray,
  scaling: { readonly scale: number; readonly shift?: number } | undefined,
): Column | string {
  const own = shape.slice(1);
  const plain = { shape: own, scale: 1, shift: 0 };
  if (own.length === 0 && kind !== 'float') {
    const far = values.findIndex((value) => value !== (value | 0));
    if (far !== -1) return `has the label ${values[far]} at ${far}, which is no number of 32 bits`;
    return { ...plain, dtype: 'i32', bytes: littleEndian(values, 4) };
  }
  if (kind === 'byte' || kind === 'boolean') {
    const { scale = 1, shift = 0 } = scaling ?? {};
    const rounded = { scale: Math.fround(scale), shift: Math.fround(shift) };
    return { ...plain, ...rounded, dtype: 'u8', bytes: values as Uint8Array };
  }
  const wrong = values.findIndex((value) =>
    kind === 'integer' ? Math.abs(value) > EXACT_MAX : !Number.isFinite(Math.fround(value)),
  );
  const sample = Math.floor((wrong * (shape[0] as number)) / values.length);
  if (wrong !== -1 && kind === 'integer')
    return `has ${values[wrong]} in sample ${sample}, which float32 cannot hold exactly: scale it`;
  if (wrong !== -1) return `has ${values[wrong]} in sample ${sample}: fill it in, or leave the sample out`;
  return { ...plain, dtype: 'f32', bytes: littleEndian(values, 'float') };
}

function littleEndian(values: NumpyArray['values'], as: 4 | 'float'): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    if (as === 'float') view.setFloat32(4 * i, value, true);
    else view.setInt32(4 * i, value, true);
  });
  return bytes;
}

/** Splits samples by their content. */
function split(
  path: string,
  name: string,
  { samples, columns }: Samples,
  how: HeldOut,
): Omit<NumpyData, 'notes'> {
  const sizes = Object.values(columns).map(({ bytes }) => bytes.length / samples);
  const contentOf = (sample: number): Uint8Array =>
    Buffer.concat(
      Object.values(columns).map(({ bytes }, i) => {
        const size = sizes[i] as number;
        return bytes.subarray(sample * size, (sample + 1) * size);
      }),
    );
  const { sides } = heldOutOf(path, samples, contentOf, how);
  const side = (wanted: number): Dataset | undefined => {
    const taken = [...sides.keys()].filter((sample) => sides[sample] === wanted);
    if (taken.length === 0) return undefined;
    const parts = Object.entries(columns).map(([field, column], i): [string, Column] => {
      const size = sizes[i] as number;
      const bytes = new Uint8Array(size * taken.length);
      taken.forEach((sample, at) => {
        bytes.set(column.bytes.subarray(sample * size, (sample + 1) * size), at * size);
      });
      return [field, { ...column, bytes }];
    });
    return packDataset(
      `${name}-${wanted === 0 ? 'train' : 'test'}`,
      taken.length,
      Object.fromEntries(parts),
      sha256Hex,
    );
  };
  const test = side(1);
  return { train: side(0) as Dataset, ...(test && { test }) };
}

function checkSameFields(path: string, train: Samples, test: Samples): void {
  const describe = ({ columns }: Samples): string =>
    Object.entries(columns)
      .map(([name, { dtype, shape }]) => `${name} ${dtype} [${shape.join(', ')}]`)
      .sort()
      .join(', ');
  const [one, other] = [describe(train), describe(test)];
  if (one !== other)
    throw new UserError(
      `${path}: the training samples are ${one}, and the test samples ${other}; make them the same`,
    );
}
