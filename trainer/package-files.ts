import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { packageRoot } from '../shared/package-root.js';

const ROOT = packageRoot();

/** The absolute path of a file of the package. @param file its path in the package, such as package.json */
export function packageFile(file: string): string {
  return join(ROOT, file);
}

/** The version of the program. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version;
}

/**
 * The path of a document that comes with the program, as a user can open it from the current folder.
 * @param document its path in the package, such as docs/recipes.md
 */
export function documentPath(document: string): string {
  const path = join(ROOT, document);
  const fromHere = relative('', path);
  return fromHere.startsWith('..') ? path : fromHere;
}
