/*
 * Package lists of Debian's package manager, which consist of stanzas such as
 *
 *     Package: 0ad-data                          Package: 0ad-data
 *     Source: 0ad                                Description-md5: 26581e68...
 *     Description: strategy game (data)          Description-en: strategy game (data)
 *     ...                                         0 A.D. is a real-time strategy game
 *                                                 .
 *                                                 This package contains its data files.
 *
 * `..._Packages` (left) contains each binary package's source, and `..._Translation-en` its long description. Archives without
 * translations have long descriptions in the former. Lists may be compressed, depending on apt's configuration.
 */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { UserError } from '../../errors.js';
import { exists, readBoundedFile } from '../../files/read-file.js';
import { textOf } from './text-file.js';

/** apt's directory of lists. */
const LISTS = '/var/lib/apt/lists';
/** Decompresses lists of any format. */
const HELPER = '/usr/lib/apt/apt-helper';
/** Largest list, uncompressed. */
const LIST_BYTES_MAX = 2 ** 28;

/** A package's description. */
export interface PackageDescription {
  readonly name: string;
  /** The source package that it is built from. */
  readonly source: string;
  /** One line. */
  readonly short: string;
  /** Paragraphs, one a line. */
  readonly long: string;
}

/**
 * All packages with a long description, sorted by name.
 * @param folder of lists; default: apt's own
 * @throws UserError that says how to get the lists
 */
export async function readAptLists(folder = LISTS): Promise<PackageDescription[]> {
  const files = (await exists(folder)) ? (await readdir(folder)).sort() : [];
  const named = (name: string) => files.filter((file) => new RegExp(`_${name}(\\.\\w+)?$`).test(file));
  const sources = new Map<string, string>();
  const found = new Map<string, PackageDescription>();
  for (const file of [...named('Packages'), ...named('Translation-en')]) {
    for (const stanza of (await readList(join(folder, file))).split('\n\n')) {
      const name = /^Package: (\S+)$/m.exec(stanza)?.[1];
      if (name === undefined) continue;
      const source = /^Source: (\S+)/m.exec(stanza)?.[1];
      if (source !== undefined) sources.set(name, source);
      const [, short, lines] = /^Description(?:-en)?: *(.*)\n((?: .*(?:\n|$))+)/m.exec(stanza) ?? [];
      if (short === undefined || lines === undefined) continue;
      found.set(name, { name, source: sources.get(name) ?? name, short, long: paragraphsOf(lines) });
    }
  }
  if (found.size === 0) {
    throw new UserError(
      `${folder} has no long descriptions of packages; run apt-get update -o Acquire::Languages=en, or name a file of your own ` +
        'texts with --data FILE, with a line {"long": "...", "short": "..."} for each',
    );
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function readList(path: string): Promise<string> {
  if (/_(Packages|Translation-en)$/.test(path))
    return textOf(await readBoundedFile(path, LIST_BYTES_MAX), path).text;
  try {
    const options = { maxBuffer: LIST_BYTES_MAX, encoding: 'buffer' } as const;
    const { stdout, stderr } = await promisify(execFile)(HELPER, ['cat-file', path], options);
    // Its exit status is 0 even when it cannot decompress the file.
    if (stderr.includes('E:')) throw new Error(stderr.toString());
    return textOf(stdout, path).text;
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      `${HELPER} cannot read ${path} (${(error as Error).message.trim().split('\n')[0]}); ` +
        'run apt-get update, or decompress it',
    );
  }
}

/** Converts the lines of a description, which begin with a space; lines with a dot separate paragraphs. */
function paragraphsOf(lines: string): string {
  return lines
    .split(/^ \.$/m)
    .map((paragraph) => paragraph.replace(/\s+/g, ' ').trim())
    .filter((paragraph) => paragraph !== '')
    .join('\n');
}
