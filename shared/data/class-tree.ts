/*
 * Finds the files of each class: DIRECTORY/CLASS/FILE. Or, in splits, DIRECTORY/train/CLASS/FILE and the same below `val` or `test`.
 * Splits may be called training, valid, validation and testing, too, in upper or lower case.
 */
import { extname, join, relative } from 'node:path';
import { commandLine } from '../command-line.js';
import { UserError } from '../errors.js';
import { shellWord } from '../shell-word.js';
import { classesBelow, withoutFolders } from './folder-hints.js';
import { type ClassFolderKind, isSample, listFolder, SPLITS } from './folder-listing.js';
import { lookAlikeNotes } from './look-alikes.js';
import { listed } from './tables/problems.js';

/** A sample's file. */
export interface FoundFile {
  readonly path: string;
  readonly label: number;
  /** undefined: the folder has no splits. */
  readonly split: 'train' | 'test' | undefined;
}

/** The files of all classes. */
export interface ClassTree {
  /** Folder names by class number. */
  readonly classes: readonly string[];
  readonly files: readonly FoundFile[];
  /** Names of the folders for training and evaluation; undefined without splits. */
  readonly trainSplit: string | undefined;
  readonly testSplit: string | undefined;
  /** What was ignored, one line each. */
  readonly notes: readonly string[];
}

/**
 * Finds the files of all classes without reading them. Symbolic links are followed.
 * @throws UserError that names the folder and the remedy
 */
export async function findClasses(directory: string, kind: ClassFolderKind): Promise<ClassTree> {
  const ignored = new Ignored(directory, kind);
  const outer = await listFolder(directory, kind, ignored);
  if (outer.folders.length === 0) throw await withoutFolders(directory, outer.files, kind);
  ignored.noteLoose(outer.files, directory);
  const { train, test, unused } = await findSplits(directory, outer.folders, kind);
  const inner = train === undefined ? outer : await listFolder(join(directory, train), kind, ignored);
  if (train !== undefined) {
    ignored.noteLoose(inner.files, join(directory, train));
    if (inner.folders.length === 0)
      throw new UserError(`${join(directory, train)} has no folders; create one for each class`);
  }
  const classes = inner.folders;
  for (const split of [test, unused]) {
    if (split === undefined) continue;
    const others = await listFolder(join(directory, split), kind, ignored);
    ignored.noteLoose(others.files, join(directory, split));
    refuseOtherClasses(directory, split, train as string, classes, others.folders);
  }
  const sides: readonly (readonly [FoundFile['split'], string])[] =
    train === undefined
      ? [[undefined, '']]
      : test === undefined
        ? [[undefined, train]]
        : [
            ['train', train],
            ['test', test],
          ];
  const files: FoundFile[] = [];
  for (const [label, name] of classes.entries())
    for (const [split, folder] of sides)
      for (const path of await filesOfClass(join(directory, folder, name), kind, ignored))
        files.push({ path, label, split });
  const notes = [...ignored.notes(), ...lookAlikeNotes(`${directory} has classes`, classes)];
  if (unused !== undefined)
    notes.push(
      `${join(directory, unused)} is not used in training; ${join(directory, test as string)} is. Evaluate the trained model ` +
        `on the former with: ${commandLine(`eval RUN --data ${shellWord(join(directory, unused))}`)}`,
    );
  return { classes, files, trainSplit: train, testSplit: test, notes };
}

/**
 * Decides which folders are splits: all of them must have the name of a split, and one must be `train`. With both a validation and a
 * test set, training uses the former.
 */
async function findSplits(directory: string, folders: readonly string[], kind: ClassFolderKind) {
  const named = (split: string) => folders.filter((name) => SPLITS[name.toLowerCase()] === split);
  const [trains, validations, tests] = [named('train'), named('validation'), named('test')];
  const others = folders.filter((name) => SPLITS[name.toLowerCase()] === undefined);
  const [train] = trains;
  const none = { train: undefined, test: undefined, unused: undefined };
  if (train === undefined) {
    if (others.length === 0) await refuseWithoutTrain(directory, folders, kind);
    return none;
  }
  // "train" may be a class beside "bus" and "car"; then its folder has no folders.
  const isClass = (await listFolder(join(directory, train), kind, undefined)).folders.length === 0;
  if (others.length > 0) {
    if (isClass) return none;
    throw new UserError(
      `${directory} has ${train}, which contains folders, beside ${listed(others)}; ` +
        `keep only val and test beside ${train}, or make each folder a class`,
    );
  }
  for (const same of [trains, validations, tests])
    if (same.length > 1)
      throw new UserError(`${directory} has ${listed(same)}, which mean the same split; merge them`);
  const [validation, test] = [validations[0], tests[0]];
  if (validation === undefined && test === undefined && isClass) return none;
  return { train, test: validation ?? test, unused: validation === undefined ? undefined : test };
}

/** Refuses splits without one for training. "test" may be a class, too; then its folder has no folders. */
async function refuseWithoutTrain(
  directory: string,
  folders: readonly string[],
  kind: ClassFolderKind,
): Promise<void> {
  for (const split of folders)
    if ((await listFolder(join(directory, split), kind, undefined)).folders.length > 0)
      throw new UserError(
        `${directory} has ${listed(folders)} and no train; add a folder train for training, or name ` +
          `${join(directory, split)} to evaluate a trained model on it`,
      );
}

function refuseOtherClasses(
  directory: string,
  split: string,
  train: string,
  classes: readonly string[],
  others: readonly string[],
): void {
  for (const name of others)
    if (!classes.includes(name))
      throw new UserError(
        `${join(directory, split, name)} is a class that ${join(directory, train)} does not have; ` +
          `its classes are ${classes.join(', ')}`,
      );
}

/** The files of a class. A held-out split need not have a folder for each class. */
async function filesOfClass(folder: string, kind: ClassFolderKind, ignored: Ignored): Promise<string[]> {
  const found = await listFolder(folder, kind, ignored, true);
  const [inner] = found.folders;
  if (inner !== undefined) {
    const classes = await classesBelow(folder, kind);
    const hint = classes === undefined ? '' : `; if the classes are the folders in ${classes}, name that`;
    throw new UserError(
      `${join(folder, inner)} is a folder inside a class folder${hint}; otherwise move its ${kind.what} up into the class folder`,
    );
  }
  return found.files.flatMap((name) => {
    const extension = extname(name);
    const path = join(folder, name);
    if (kind.others.test(extension))
      throw new UserError(
        `${path} cannot be read, only ${kind.extensions.join(', ')} can; ` +
          `convert such files: ${kind.convert(join(folder, `*${extension}`))}`,
      );
    if (isSample(name, kind)) return [path];
    ignored.add('other', path);
    return [];
  });
}

/** What is ignored, by reason. */
class Ignored {
  private readonly paths = { system: [] as string[], loose: [] as string[], other: [] as string[] };
  private readonly devices: string[] = [];

  constructor(
    private readonly directory: string,
    private readonly kind: ClassFolderKind,
  ) {}

  add(why: 'system' | 'other' | 'device', path: string): void {
    (why === 'device' ? this.devices : this.paths[why]).push(path);
  }

  /** Files beside the class folders. */
  noteLoose(files: readonly string[], folder: string): void {
    for (const name of files) {
      this.paths[isSample(name, this.kind) ? 'loose' : 'other'].push(join(folder, name));
    }
  }

  notes(): string[] {
    const { what } = this.kind;
    const note = (paths: readonly string[], why: string) =>
      paths.length === 0
        ? []
        : [
            `ignored, ${why}: ${listed(
              paths.map((path) => relative(this.directory, path)),
              5,
            )}`,
          ];
    return [
      ...note(this.paths.loose, `${what} outside of class folders`),
      ...note(this.paths.other, 'other file types'),
      ...note(this.devices, 'neither file nor folder'),
      ...note(this.paths.system, 'hidden or system entries'),
    ];
  }
}
