/*
 * HDF5 files, through the C library in WebAssembly (h5wasm). The package is optional, because it takes 15 MB.
 */
import { UserError } from '../../../shared/errors.js';
import type { Tensor } from '../../../shared/files/tensors.js';

const PACKAGE = 'h5wasm';
/** Whole files are in memory, under these names. */
const [WRITTEN, READ] = ['written.h5', 'read.h5'];
/** What such a file begins with. */
const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];
/** Most datasets and groups that are read of a file. */
const ENTRIES_MAX = 100_000;

/** The parts of h5wasm that are used here. */
interface Hdf5Group {
  keys(): string[];
  get(name: string): Hdf5Entry | null;
  create_group(name: string): Hdf5Group;
  create_dataset(args: { name: string; data: Float32Array; shape: number[]; dtype: string }): unknown;
}
type Hdf5Entry = Partial<Hdf5Group> & {
  readonly type: string;
  readonly shape?: readonly number[] | null;
  readonly dtype?: unknown;
  readonly value?: unknown;
};
interface Hdf5File extends Hdf5Group {
  close(): unknown;
}
interface Hdf5Library {
  readonly ready: Promise<{
    /** Between these calls, errors are thrown and not printed. */
    activate_throwing_error_handler(): unknown;
    deactivate_throwing_error_handler(): unknown;
    readonly FS: {
      writeFile(path: string, bytes: Uint8Array): void;
      readFile(path: string): Uint8Array;
      unlink(path: string): void;
    };
  }>;
  readonly File: new (path: string, mode: 'r' | 'w') => Hdf5File;
}

/** @throws UserError when it is not installed */
async function library(what: string): Promise<Hdf5Library> {
  try {
    // A name in a variable keeps the types and the package optional.
    return (await import(PACKAGE as string)) as Hdf5Library;
  } catch {
    throw new UserError(
      `${what} needs the package ${PACKAGE}, which reads and writes HDF5: npm install ${PACKAGE}`,
    );
  }
}

/** Tensors as a file with a float32 dataset for each; slashes in names are groups. */
export async function encodeHdf5(
  tensors: readonly Tensor[],
  groups: readonly string[] = [],
): Promise<Uint8Array> {
  const { ready, File } = await library('a .keras file');
  const { FS } = await ready;
  const file = new File(WRITTEN, 'w');
  const made = new Map<string, Hdf5Group>([['', file]]);
  const groupAt = (path: string): Hdf5Group => {
    const known = made.get(path);
    if (known !== undefined) return known;
    const at = path.lastIndexOf('/');
    const group = groupAt(path.slice(0, Math.max(at, 0))).create_group(path.slice(at + 1));
    made.set(path, group);
    return group;
  };
  for (const path of groups) groupAt(path);
  for (const { name: path, shape, values } of tensors) {
    const at = path.lastIndexOf('/');
    const name = path.slice(at + 1);
    groupAt(path.slice(0, Math.max(at, 0))).create_dataset({
      name,
      data: values,
      shape: [...shape],
      dtype: '<f',
    });
  }
  file.close();
  const bytes = FS.readFile(WRITTEN).slice();
  FS.unlink(WRITTEN);
  return bytes;
}

/**
 * The datasets of a file by path, those of floating point as float32; others are left out.
 * @param file its name, for errors
 * @throws UserError when it is no such file, or the library is missing
 */
export async function decodeHdf5(bytes: Uint8Array, file: string): Promise<ReadonlyMap<string, Tensor>> {
  const damaged = (): UserError =>
    new UserError(`${file} holds no readable HDF5 weights; save the model again`);
  if (SIGNATURE.some((byte, i) => bytes[i] !== byte)) throw damaged();
  const { ready, File } = await library(file);
  const module = await ready;
  module.activate_throwing_error_handler();
  module.FS.writeFile(READ, bytes);
  try {
    const opened = new File(READ, 'r');
    try {
      return readEntries(opened, file);
    } finally {
      opened.close();
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw damaged();
  } finally {
    module.deactivate_throwing_error_handler();
    module.FS.unlink(READ);
  }
}

function readEntries(opened: Hdf5Group, file: string): Map<string, Tensor> {
  const tensors = new Map<string, Tensor>();
  const waiting: [path: string, group: Hdf5Group][] = [['', opened]];
  let entries = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [path, group] = next;
    for (const key of group.keys()) {
      if (++entries > ENTRIES_MAX)
        throw new UserError(`${file} has more than ${ENTRIES_MAX} groups and datasets`);
      const entry = group.get(key);
      const name = path === '' ? key : `${path}/${key}`;
      if (entry?.type === 'Group') waiting.push([name, entry as Hdf5Group]);
      else if (entry?.type === 'Dataset' && /^[<>]?[fd]$/.test(String(entry.dtype)))
        tensors.set(name, {
          name,
          shape: [...(entry.shape ?? [])],
          values: Float32Array.from(entry.value as ArrayLike<number>),
        });
    }
  }
  return tensors;
}
