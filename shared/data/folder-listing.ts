/*
 * The content of folders with a folder for each class.
 */
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { UserError } from '../errors.js';
import { errorCode, explainFileError } from '../files/file-error.js';

/** The kind of files in class folders. */
export interface ClassFolderKind {
  /** Such as "images". */
  readonly what: string;
  /** A class, as an example. */
  readonly example: string;
  /** Supported file types in lower case, such as ".png". Other files are ignored. */
  readonly extensions: readonly [string, ...string[]];
  /** Unsupported file types of this kind. They are refused, because ignoring them would lose samples. */
  readonly others: RegExp;
  /** A command that converts files to a supported type. */
  readonly convert: (files: string) => string;
}

/** Splits by folder name in lower case. */
export const SPLITS: Readonly<Record<string, 'train' | 'validation' | 'test'>> = {
  train: 'train',
  training: 'train',
  val: 'validation',
  valid: 'validation',
  validation: 'validation',
  test: 'test',
  testing: 'test',
};
/** Folders that operating systems and programs create. Names that begin with a dot are ignored, too. */
const SYSTEM_FOLDERS = new Set([
  ...['__macosx', '@eadir', '__pycache__', '#recycle', '$recycle.bin'],
  ...['lost+found', 'system volume information'],
]);

/** Is told what is left out. */
interface FolderWatch {
  add(why: 'system' | 'device', path: string): void;
}

/** The content of a folder in code unit order, without hidden and system entries. Symbolic links are followed. */
export async function listFolder(
  folder: string,
  { what }: ClassFolderKind,
  ignored: FolderWatch | undefined,
  mayBeMissing = false,
): Promise<{ readonly folders: string[]; readonly files: string[] }> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (mayBeMissing && errorCode(error) === 'ENOENT') return { folders: [], files: [] };
    throw explainFileError(error, `cannot read the ${what} in ${folder}`);
  }
  const found = { folders: [] as string[], files: [] as string[] };
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith('.') || SYSTEM_FOLDERS.has(entry.name.toLowerCase())) {
      ignored?.add('system', path);
      continue;
    }
    const target = entry.isSymbolicLink() ? await followLink(path) : entry;
    if (target.isDirectory()) found.folders.push(entry.name);
    else if (target.isFile()) found.files.push(entry.name);
    else ignored?.add('device', path);
  }
  return found;
}

async function followLink(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') throw new UserError(`${path} is a broken link; fix or remove it`);
    throw explainFileError(error, `cannot follow the link ${path}`);
  }
}

/** Whether a file is of a kind, by its name. */
export function isSample(name: string, { extensions }: ClassFolderKind): boolean {
  return extensions.includes(extname(name).toLowerCase());
}
