/*
 * What a run needs to be found again by its workers when its coordinator was started anew: who knows the token may join,
 * so the file is for the owner's eyes alone.
 */
import { join } from 'node:path';
import * as v from 'valibot';
import { explainFileError } from '../shared/files/file-error.js';
import { Folder } from '../shared/files/folder.js';
import { exists, readBoundedFile } from '../shared/files/read-file.js';
import { replaceFile } from '../shared/files/storage.js';

/** Its name in a run's directory. */
export const ACCESS_FILE = 'access.json';
const ACCESS_BYTES_MAX = 2 ** 16;
/** Read and written by the owner, and nobody else. */
const OWNER_ONLY = 0o600;

const word = v.pipe(v.string(), v.regex(/^[\w-]{22,64}$/));
const AccessSchema = v.strictObject({
  runId: word,
  token: word,
  port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
  /** What connections were encrypted with, in PEM: workers trust no other. */
  certificate: v.exactOptional(v.strictObject({ certificate: v.string(), key: v.string() })),
});

/** By what the workers of a run know it, and where they look for it. */
export type RunAccess = v.InferOutput<typeof AccessSchema>;

/** @param path the run's directory. @throws UserError when it cannot be written */
export async function saveAccess(path: string, access: RunAccess): Promise<void> {
  const text = new TextEncoder().encode(`${JSON.stringify(access)}\n`);
  try {
    await replaceFile(new Folder(path, OWNER_ONLY), ACCESS_FILE, [text]);
  } catch (error) {
    throw explainFileError(error, `cannot write ${join(path, ACCESS_FILE)}`);
  }
}

/** @returns undefined when the run was never open to workers, or the file is not what was written */
export async function loadAccess(path: string): Promise<RunAccess | undefined> {
  const file = join(path, ACCESS_FILE);
  if (!(await exists(file))) return undefined;
  const text = new TextDecoder().decode(await readBoundedFile(file, ACCESS_BYTES_MAX));
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), AccessSchema), text);
  return result.success ? result.output : undefined;
}
