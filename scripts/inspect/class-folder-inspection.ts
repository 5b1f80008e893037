/*
 * The inspection of class folders, for images and recordings.
 */
import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { UserError } from '../../shared/errors.js';
import type { Inspection, RecipeDraft } from './inspection.js';
import { quote } from './recipe-text.js';

/** Levels of folders that are searched: splits, classes, and some above, when the folder above the data was named. */
const DEPTH = 6;
/** Files that are counted to recognise the kind of a folder. */
const FILES_MAX = 1000;

/** The common part of what the readers of folders return. */
interface FolderData {
  readonly train: { readonly manifest: { readonly samples: number } };
  readonly test?: { readonly manifest: { readonly samples: number } };
  readonly classes: readonly string[];
  readonly notes: readonly string[];
  readonly preprocessing: object;
}

/** Whether a path is a folder with more files of one kind than of another. */
export async function holdsMost(path: string, own: RegExp, others: RegExp): Promise<boolean> {
  if (!(await stat(path).catch(() => undefined))?.isDirectory()) return false;
  const names = await filesIn(path, DEPTH);
  const count = (pattern: RegExp) => names.filter((name) => pattern.test(extname(name))).length;
  return count(own) > count(others);
}

async function filesIn(folder: string, depth: number): Promise<string[]> {
  const found: string[] = [];
  const folders: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    const target = entry.isSymbolicLink() ? await stat(path).catch(() => entry) : entry;
    if (target.isDirectory()) folders.push(path);
    else found.push(entry.name);
    if (found.length >= FILES_MAX) break;
  }
  if (depth > 1)
    for (const inner of folders)
      if (found.length < FILES_MAX) found.push(...(await filesIn(inner, depth - 1)));
  return found;
}

/**
 * Reads a folder and describes the result.
 * @param reasons of the options
 * @param draft creates a recipe
 * @returns the problems instead of a recipe when the folder cannot be read
 */
export async function inspectFolder<Data extends FolderData>(
  kind: string,
  options: object,
  reasons: readonly string[],
  read: () => Promise<Data>,
  draft: (data: Data) => RecipeDraft,
): Promise<Inspection> {
  const suggested =
    reasons.length === 0 ? [] : ['suggested options:', ...reasons.map((reason) => `  ${reason}`)];
  let data: Data;
  try {
    data = await read();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return {
      lines: [...suggested, error.message],
      result: { kind, options, problems: error.message.split('\n') },
      recipe: undefined,
    };
  }
  const { train, test, classes, notes, preprocessing } = data;
  return {
    lines: [...notes, ...suggested],
    result: {
      kind,
      options,
      classes,
      preprocessing,
      samples: { train: train.manifest.samples, test: test?.manifest.samples ?? 0 },
      notes,
      problems: [],
    },
    recipe: draft(data),
  };
}

/** The line of a recipe that reads a folder. */
export function dataLine(path: string, reader: string, options: object): string {
  const settings = Object.entries(options).map(([name, value]) => `${name}: ${literal(value)}`);
  const more = settings.length === 0 ? '' : `, { ${settings.join(', ')} }`;
  return `  data: (path = ${quote(path)}) => ${reader}(path${more}),`;
}

function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.join(', ')}]`;
  return typeof value === 'string' ? quote(value) : String(value);
}
