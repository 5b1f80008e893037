import { access } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { explainFileError } from './file-error.js';
import { Folder } from './folder.js';
import { replaceFile } from './storage.js';

/**
 * Writes a file so that its name always stands for a whole one; see `replaceFile`. Its folder must be there.
 * @throws UserError that names the file and the mend; the old file is then still there, and nothing is left aside
 */
export async function writeFileAtomically(path: string, pieces: Iterable<Uint8Array>): Promise<void> {
  try {
    await access(dirname(path));
    await replaceFile(new Folder(dirname(path)), basename(path), pieces);
  } catch (error) {
    throw explainFileError(error, `cannot write ${path}`);
  }
}
