import type { KeyObject } from 'node:crypto';
import { link, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { UserError } from '../shared/errors.js';
import { errorCode, explainFileError } from '../shared/files/file-error.js';
import { makeDirectories } from '../shared/files/make-directory.js';
import { exists, readBoundedFile } from '../shared/files/read-file.js';
import { createMachineKey, parseMachineKey } from '../shared/link/machine-key.js';

/** A key takes some hundred bytes. */
const KEY_BYTES_MAX = 4096;
/** Read and written by the owner, and nobody else. */
const OWNER_ONLY = 0o600;

/**
 * The key of this machine, which is made at the first call.
 * @param path of its file
 * @throws UserError when the file cannot be read or written, or holds something else
 */
export async function loadMachineKey(path: string): Promise<KeyObject> {
  if (!(await exists(path))) await createOnce(path);
  const key = parseMachineKey(new TextDecoder().decode(await readBoundedFile(path, KEY_BYTES_MAX)));
  if (key === undefined)
    throw new UserError(`${path} holds no key of a machine: remove it, and a new one is made`);
  return key;
}

/** Of several workers that start at the same time, one makes the key; the file is whole as soon as it has its name. */
async function createOnce(path: string): Promise<void> {
  const temporary = `${path}.${process.pid}`;
  try {
    await makeDirectories(dirname(path));
    await writeFile(temporary, createMachineKey(), { mode: OWNER_ONLY, flush: true });
    await link(temporary, path);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST')
      throw explainFileError(error, `cannot keep the key of this machine in ${path}`);
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}
