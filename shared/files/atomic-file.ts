import { access } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { explainFileError } from './file-error.js';
import { Folder } from './folder.js';
import { replaceFile } from './storage.js';

/**
 * Writes a file so that its name always refers to a complete file; see `replaceFile`. Its folder must exist.
 * @throws UserError that names the file and the fix. The old file is then unchanged, and no temporary file is left
 */
export async function writeFileAtomically(path: string, pieces: Iterable<Uint8Array>): Promise<void> {
  try {
    await access(dirname(path));
    await replaceFile(new Folder(dirname(path)), basename(path), pieces);
  } catch (error) {
    throw explainFileError(error, `cannot write ${path}`);
  }
}
