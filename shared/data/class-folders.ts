/*
 * Data sets with one file per sample and one folder per class.
 */
import { relative } from 'node:path';
import { UserError } from '../errors.js';
import { readBoundedFile } from '../files/read-file.js';
import { sha256Hex } from '../files/sha256.js';
import { type ClassTree, type FoundFile, findClasses } from './class-tree.js';
import type { Column } from './dataset.js';
import { splitNotes } from './folder-hints.js';
import type { ClassFolderKind } from './folder-listing.js';
import { type HeldOut, heldOut } from './held-out.js';
import { listed, Problems } from './tables/problems.js';

/** One sample. */
export interface ClassFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** The class number. */
  readonly label: number;
  /** Whether it is held out. */
  readonly isTest: boolean;
}

/** What was found in the folders. */
export interface FoundClasses {
  /** Folder names by class number. */
  readonly classes: readonly string[];
  /** What was found and what was ignored, one line each. */
  readonly notes: readonly string[];
}

/** Largest file. */
export const FILE_BYTES_MAX = 2 ** 26;
/** Reading stops after this many invalid files. */
const BROKEN_MAX = 100;
/** Classes whose counts are listed. */
const LISTED_CLASSES = 50;

/**
 * Reads all files, class by class, in code unit order of their names. One report names all invalid files.
 * @param split which files are held out, by a keyed hash, when the folder has no splits
 * @param take receives each file; it throws a UserError for an invalid one
 * @throws UserError that names the files and the remedy
 */
export async function readClassFolders(
  directory: string,
  kind: ClassFolderKind,
  split: HeldOut,
  take: (file: ClassFile) => void | Promise<void>,
): Promise<FoundClasses> {
  const isHeldOut = heldOut(split);
  const tree = await findClasses(directory, kind);
  const trained = new Set<string>();
  const sameFiles = new SameFiles();
  const counts = tree.classes.map(() => ({ train: 0, test: 0 }));
  let repeated = 0;
  await readEach(directory, tree.files, async ({ path, label, split: from }) => {
    const bytes = await readBoundedFile(path, FILE_BYTES_MAX);
    const isTest = from === undefined ? isHeldOut(bytes) : from === 'test';
    const hash = sha256Hex(bytes);
    sameFiles.add(hash, path, label);
    if (from === 'train') trained.add(hash);
    else if (from === 'test' && trained.has(hash)) repeated += 1;
    (counts[label] as { train: number; test: number })[isTest ? 'test' : 'train'] += 1;
    await take({ path, bytes, label, isTest });
  });
  const notes = [
    ...describeClasses(directory, kind, tree, counts),
    ...tree.notes,
    ...(await splitNotes(directory, kind)),
    ...sameFiles.notes(directory, kind),
  ];
  if (repeated > 0)
    notes.push(
      `${repeated} of the ${kind.what} in ${tree.testSplit} are also in ${tree.trainSplit} (identical files): they measure what was ` +
        'memorised',
    );
  return { classes: tree.classes, notes };
}

/**
 * Reads all files for a trained model. The name of a file's folder decides its class, whatever other folders exist. In a folder
 * with splits, only the held-out split is read.
 * @param classes names by class number
 * @returns what was ignored, one line each
 * @throws UserError that names the files and the remedy
 */
export async function readKnownClasses(
  directory: string,
  kind: ClassFolderKind,
  classes: readonly string[],
  take: (file: ClassFile) => void | Promise<void>,
): Promise<readonly string[]> {
  const tree = await findClasses(directory, kind);
  const unknown = tree.classes.filter((name) => !classes.includes(name));
  if (unknown.length > 0)
    throw new UserError(
      `${directory} has classes that the model was not trained on: ${listed(unknown)}; its classes are ${listed(classes)}`,
    );
  const files = tree.files.filter(({ split }) => split !== 'train');
  await readEach(directory, files, async ({ path, label, split: from }) => {
    const bytes = await readBoundedFile(path, FILE_BYTES_MAX);
    const known = classes.indexOf(tree.classes[label] as string);
    await take({ path, bytes, label: known, isTest: from !== undefined });
  });
  return tree.notes;
}

/** Finds identical files in several classes: at most one of their classes is right. */
class SameFiles {
  private readonly seen = new Map<string, { readonly path: string; readonly label: number }>();
  private example: readonly [string, string] | undefined;
  private count = 0;

  add(hash: string, path: string, label: number): void {
    const first = this.seen.get(hash);
    if (first === undefined) this.seen.set(hash, { path, label });
    else if (first.label !== label) {
      this.count += 1;
      this.example ??= [first.path, path];
    }
  }

  notes(directory: string, { what }: ClassFolderKind): string[] {
    if (this.example === undefined) return [];
    const [one, other] = this.example.map((path) => relative(directory, path));
    return [
      `${this.count} of the ${what} are also in another class (identical files), such as ${other} and ${one}: at most one class ` +
        'is right; remove the others',
    ];
  }
}

/** The field `label` (i32 []): the class number of each sample. */
export function labelColumn(labels: Iterable<number>): Column {
  const bytes = new Uint8Array(Int32Array.from(labels).buffer);
  return { dtype: 'i32', shape: [], bytes, scale: 1, shift: 0 };
}

/** Calls `read` for each file and throws one report of all failures. */
async function readEach(
  directory: string,
  files: readonly FoundFile[],
  read: (file: FoundFile) => Promise<void>,
): Promise<void> {
  const broken: UserError[] = [];
  for (const file of files) {
    try {
      await read(file);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      broken.push(error);
      if (broken.length >= BROKEN_MAX) break;
    }
  }
  if (broken.length === 1) throw broken[0];
  const problems = new Problems();
  // Problems of different kinds, so that the report names each file.
  for (const [i, { message }] of broken.entries()) problems.add(String(i), undefined, message);
  problems.throwIfAny(directory);
}

function describeClasses(
  directory: string,
  kind: ClassFolderKind,
  { classes, trainSplit, testSplit }: ClassTree,
  counts: readonly { readonly train: number; readonly test: number }[],
): string[] {
  const sum = (side: 'train' | 'test') => counts.reduce((all, count) => all + count[side], 0);
  const splits =
    testSplit === undefined
      ? `${sum('test')} are held out by a hash of the file`
      : `${sum('train')} in ${trainSplit} for training, ${sum('test')} in ${testSplit} for evaluation`;
  const each = classes.map((name, i) => `${name} ${(counts[i]?.train ?? 0) + (counts[i]?.test ?? 0)}`);
  const empty = classes.filter((_, i) => counts[i]?.train === 0);
  const many = classes.length === 1 ? '1 class' : `${classes.length} classes`;
  return [
    `${directory}: ${sum('train') + sum('test')} ${kind.what} in ${many} (${listed(each, LISTED_CLASSES)}); ${splits}`,
    ...(classes.length === 1 ? ['there is a single class, so there is nothing to learn'] : []),
    ...(empty.length === 0
      ? []
      : [
          `no ${kind.what} to train on in: ${listed(empty)}; add some, or remove the folder if it is not a class`,
        ]),
  ];
}
