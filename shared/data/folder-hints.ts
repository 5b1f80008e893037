/*
 * Which folder was probably meant, when one above or below the folder of the classes was named.
 */
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../errors.js';
import { type ClassFolderKind, isSample, listFolder, SPLITS } from './folder-listing.js';
import { listed } from './tables/problems.js';

/** Most levels of folders that are searched for classes below the folder that was named. */
const LEVELS_MAX = 6;

/**
 * The nearest folder below whose folders hold files of a kind: what was probably meant when a folder above it was named.
 * @returns undefined when there is none
 */
export async function classesBelow(
  directory: string,
  kind: ClassFolderKind,
  levels = LEVELS_MAX,
): Promise<string | undefined> {
  let level = [directory];
  for (let i = 0; i < levels && level.length > 0; i++) {
    const next: string[] = [];
    for (const folder of level) {
      const inner = (await listFolder(folder, kind, undefined, true)).folders.map((name) =>
        join(folder, name),
      );
      for (const one of inner) {
        const { files } = await listFolder(one, kind, undefined, true);
        if (files.some((name) => isSample(name, kind))) return folder;
      }
      next.push(...inner);
    }
    level = next;
  }
  return undefined;
}

/** What is wrong with a folder without folders. It may be the folder of one class. */
export async function withoutFolders(
  directory: string,
  files: readonly string[],
  kind: ClassFolderKind,
): Promise<UserError> {
  const samples = files.filter((name) => isSample(name, kind));
  const above = dirname(resolve(directory));
  const others = samples.length === 0 ? [] : (await listFolder(above, kind, undefined, true)).folders;
  const hint =
    others.length > 1
      ? `; it holds ${samples.length} ${kind.what}, as the folder of one class does: if the folders beside it are the others, name ` +
        join(directory, '..')
      : '';
  return new UserError(
    `${directory} has no folders${hint}; ${hint === '' ? '' : 'otherwise '}create one for each class with its ${kind.what}, such as ` +
      join(directory, kind.example, `1${kind.extensions[0]}`),
  );
}

/** A note when a split is named where the folder above has others, which are not used then. */
export async function splitNotes(directory: string, kind: ClassFolderKind): Promise<string[]> {
  const path = resolve(directory);
  const own = SPLITS[basename(path).toLowerCase()];
  if (own === undefined) return [];
  const beside = (await listFolder(dirname(path), kind, undefined, true)).folders.filter(
    (name) => ![undefined, own].includes(SPLITS[name.toLowerCase()]),
  );
  if (beside.length === 0) return [];
  return [
    `${directory} is a split, and ${listed(beside)} beside it is not used; to use it, name ${join(directory, '..')}`,
  ];
}
