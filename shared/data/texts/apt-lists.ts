/*
 * What Debian's package manager knows of its packages: lists of stanzas, such as
 *
 *     Package: 0ad-data                          Package: 0ad-data
 *     Source: 0ad                                Description-md5: 26581e68...
 *     Description: strategy game (data)          Description-en: strategy game (data)
 *     ...                                         0 A.D. is a real-time strategy game
 *                                                 .
 *                                                 This package contains its data files.
 *
 * `..._Packages` (left) tells each binary package's source, and `..._Translation-en` its long description; archives
 * without translations have that in the first. Lists are kept compressed or not, as apt is configured.
 */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { UserError } from '../../errors.js';
import { exists, readBoundedFile } from '../../files/read-file.js';

/** Where apt keeps its lists. */
const LISTS = '/var/lib/apt/lists';
/** Reads a list, however it is compressed. */
const HELPER = '/usr/lib/apt/apt-helper';
/** Largest list, uncompressed. */
const LIST_BYTES_MAX = 2 ** 28;

/** A package's description. */
export interface PackageDescription {
  readonly name: string;
  /** The source package that it is built from, as its siblings are. */
  readonly source: string;
  /** One line. */
  readonly short: string;
  /** Paragraphs, one a line. */
  readonly long: string;
}

/**
 * All packages that have a long description, in the order of their names.
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
      `${folder} has no long descriptions of packages; run apt-get update -o Acquire::Languages=en, or give your own ` +
        'texts with --data FILE, a line {"long": "...", "short": "..."} for each',
    );
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function readList(path: string): Promise<string> {
  if (/_(Packages|Translation-en)$/.test(path))
    return new TextDecoder().decode(await readBoundedFile(path, LIST_BYTES_MAX));
  try {
    const options = { maxBuffer: LIST_BYTES_MAX, encoding: 'utf8' } as const;
    const { stdout, stderr } = await promisify(execFile)(HELPER, ['cat-file', path], options);
    // It tells what it could not decompress, and says that all is well.
    if (stderr.includes('E:')) throw new Error(stderr);
    return stdout;
  } catch (error) {
    throw new UserError(
      `${HELPER} cannot read ${path} (${(error as Error).message.trim().split('\n')[0]}); ` +
        'run apt-get update, or decompress it',
    );
  }
}

/** Lines of a description, which begin with a space; paragraphs lie apart by lines of a dot. */
function paragraphsOf(lines: string): string {
  return lines
    .split(/^ \.$/m)
    .map((paragraph) => paragraph.replace(/\s+/g, ' ').trim())
    .filter((paragraph) => paragraph !== '')
    .join('\n');
}
