import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './process.js';
import { writeFiles } from './process-data.js';

const ROOT = join(import.meta.dirname, '../..');

/** A folder in which Unisum is installed as a package. */
export function installedFolder(files: Readonly<Record<string, string>>): string {
  const folder = writeFiles(temporaryFolder(), { 'package.json': '{ "type": "module" }', ...files });
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules', 'unisum'));
  return folder;
}
