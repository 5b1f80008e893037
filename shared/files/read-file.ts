import { access, open } from 'node:fs/promises';
import { UserError } from '../errors.js';
import { explainFileError } from './file-error.js';

/**
 * Reads a whole file that is not larger than a bound.
 * @throws UserError that names the file and the mend
 */
export async function readBoundedFile(path: string, bytesMax: number): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      if (size > bytesMax) {
        throw new UserError(
          `${path} has ${size} bytes, more than the ${bytesMax} allowed; check that it is the right file`,
        );
      }
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw explainFileError(error, `cannot read ${path}`);
  }
}

/** Whether something of that name is there. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
