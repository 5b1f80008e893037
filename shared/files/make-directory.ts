import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from './file-error.js';

/**
 * Makes a directory and the parents that it lacks; one that is there is left as it is.
 *
 * Node's own `mkdir(path, {recursive: true})` never returns where a file system answers "no such file" below an
 * existing directory (Linux: /proc): here every directory is tried at most twice.
 * @throws the operating system's error
 */
export async function makeDirectories(path: string): Promise<void> {
  try {
    await makeOne(path);
  } catch (error) {
    const parent = dirname(path);
    if (errorCode(error) !== 'ENOENT' || parent === path) throw error;
    await makeDirectories(parent);
    await makeOne(path);
  }
}

async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error;
  }
}
