import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { explainFileError } from './file-error.js';

/**
 * Writes a file so that its name always stands for a whole one, the old or the new, whenever the process or the power
 * fails: written aside, flushed to the disk, renamed, and the renaming flushed too. Two such calls for the same path
 * must not overlap.
 * @throws UserError that names the file and the mend; the old file is then still there, and nothing is left aside
 */
export async function writeFileAtomically(path: string, pieces: Iterable<Uint8Array>): Promise<void> {
  const aside = `${path}.partial`;
  try {
    const file = await open(aside, 'w');
    try {
      for (const piece of pieces) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(aside, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined);
    throw explainFileError(error, `cannot write ${path}`);
  }
}

async function syncDirectory(path: string): Promise<void> {
  // Windows cannot open a directory, and writes renamings through by itself.
  if (process.platform === 'win32') return;
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
