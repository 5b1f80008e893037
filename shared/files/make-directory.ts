import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from './file-error.js';

/**
 * Creates a directory and its missing parents. An existing directory is left as it is.
 *
 * Node's `mkdir(path, {recursive: true})` never returns when a file system answers "no such file" below an existing
 * directory (Linux: /proc). This function tries every directory at most twice.
 * @throws the operating system's error
 */
export async function makeDirectories(path: string): Promise<void> {
  try {
    await makeDirectory(path);
  } catch (error) {
    const parent = dirname(path);
    if (errorCode(error) !== 'ENOENT' || parent === path) throw error;
    await makeDirectories(parent);
    await makeDirectory(path);
  }
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error;
  }
}
