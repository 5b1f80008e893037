/*
 * Samples in files, one folder for each class: DIRECTORY/CLASS/FILE, or DIRECTORY/train/CLASS/FILE and
 * DIRECTORY/test/CLASS/FILE.
 */
import { readdir } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { UserError } from '../errors.js';
import { explainFileError } from '../files/file-error.js';
import { exists, readBoundedFile } from '../files/read-file.js';
import type { Column } from './dataset.js';
import { type HeldOut, heldOut } from './held-out.js';

/** What is in the folders. */
export interface ClassFolderKind {
  /** Such as "images". */
  readonly what: string;
  /** A class, as an example. */
  readonly example: string;
  /** Of the files that are read, in lower case, the usual one first: ".png". Other files are none of ours. */
  readonly extensions: readonly [string, ...string[]];
  /** But for these, which are of the kind and cannot be read. */
  readonly others: RegExp;
  /** The command that makes files readable. */
  readonly convert: (files: string) => string;
}

/** One sample. */
interface ClassFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Number of its class. */
  readonly label: number;
  /** Whether it is held out. */
  readonly isTest: boolean;
}

/** Largest file. */
export const FILE_BYTES_MAX = 2 ** 26;

/**
 * Reads all files, class by class, each in the order of code points. Names that begin with a dot are left out.
 * @param split what is held out, by a keyed hash of the file, where there are no `train` and `test`
 * @param take what is done with a file
 * @returns the names of the classes by number
 * @throws UserError that names the file and the mend
 */
export async function readClassFolders(
  directory: string,
  kind: ClassFolderKind,
  split: HeldOut,
  take: (file: ClassFile) => void,
): Promise<readonly string[]> {
  const isHeldOut = heldOut(split);
  const inner = await foldersIn(directory, kind);
  const isSplit = inner.length === 2 && inner.includes('train') && inner.includes('test');
  const classes = isSplit ? await foldersIn(join(directory, 'train'), kind) : inner;
  if (isSplit) refuseOtherClasses(directory, classes, await foldersIn(join(directory, 'test'), kind));
  if (classes.length === 0)
    throw new UserError(
      `${directory} has no folders; make one for each class, with its ${kind.what}, such as ` +
        join(directory, kind.example, `1${kind.extensions[0]}`),
    );
  for (const [label, name] of classes.entries())
    for (const side of isSplit ? ['train', 'test'] : [''])
      for (const path of await filesIn(join(directory, side, name), kind)) {
        const bytes = await readBoundedFile(path, FILE_BYTES_MAX);
        take({ path, bytes, label, isTest: isSplit ? side === 'test' : isHeldOut(bytes) });
      }
  return classes;
}

function refuseOtherClasses(directory: string, classes: readonly string[], others: readonly string[]): void {
  for (const name of others)
    if (!classes.includes(name))
      throw new UserError(
        `${join(directory, 'test', name)} is a class that ${join(directory, 'train')} does not have; ` +
          `its classes are ${classes.join(', ')}`,
      );
}

async function foldersIn(directory: string, kind: ClassFolderKind): Promise<string[]> {
  return (await entriesOf(directory, kind)).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}

/** The field `label` of such a data set (i32 []): the number of each sample's class. */
export function labelColumn(labels: Iterable<number>): Column {
  const bytes = new Uint8Array(Int32Array.from(labels).buffer);
  return { dtype: 'i32', shape: [], bytes, scale: 1, shift: 0 };
}

/** The files of a class; none where there is no such folder: of some, nothing need be held out. */
async function filesIn(directory: string, kind: ClassFolderKind): Promise<string[]> {
  if (!(await exists(directory))) return [];
  return (await entriesOf(directory, kind)).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory())
      throw new UserError(
        `${path} is a folder in the folder of a class; put the ${kind.what} of a class side by side`,
      );
    const extension = extname(entry.name);
    if (kind.others.test(extension))
      throw new UserError(
        `${path} cannot be read, only ${kind.extensions.join(', ')} can; ` +
          `convert such files: ${kind.convert(join(directory, `*${extension}`))}`,
      );
    return kind.extensions.includes(extension.toLowerCase()) ? [path] : [];
  });
}

/** What stands in a folder, in the order of code points. */
async function entriesOf(directory: string, { what }: ClassFolderKind) {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.filter(({ name }) => !name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    throw explainFileError(error, `cannot read the ${what} in ${directory}`);
  }
}
