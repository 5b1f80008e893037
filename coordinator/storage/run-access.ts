/*
 * What a run needs to be found again by its workers when its coordinator was started anew: who knows the token may join,
 * so the file is for the owner's eyes alone. It has the seal of the owner's machine: who resumes a folder of somebody else must
 * not open the run to those who made the folder, for they know what it says.
 */
import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import * as v from 'valibot';
import { explainFileError } from '../../shared/files/file-error.js';
import { Folder } from '../../shared/files/folder.js';
import { exists, readBoundedFile } from '../../shared/files/read-file.js';
import { replaceFile } from '../../shared/files/storage.js';
import { isSealed, sealText } from '../../shared/link/machine-key.js';

/** Its name in a run's directory. */
export const ACCESS_FILE = 'access.json';
const ACCESS_BYTES_MAX = 2 ** 16;
/** Read and written by the owner, and nobody else. */
const OWNER_ONLY = 0o600;

const word = v.pipe(v.string(), v.regex(/^[\w-]{22,64}$/));
const AccessSchema = v.strictObject({
  runId: word,
  token: word,
  /** Permits operating the run; left out by earlier versions. */
  operateToken: v.exactOptional(word),
  port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
  /** What connections were encrypted with, in PEM: workers trust no other. */
  certificate: v.exactOptional(v.strictObject({ certificate: v.string(), key: v.string() })),
});

/** By what the workers of a run know it, and where they look for it. */
export type RunAccess = v.InferOutput<typeof AccessSchema>;

/** What the file holds. */
const FileSchema = v.strictObject({ access: v.string(), seal: v.string() });

/**
 * @param path the run's directory
 * @param key of this machine; undefined: it has none, and a resumed run has another join line
 * @throws UserError when it cannot be written
 */
export async function saveAccess(path: string, access: RunAccess, key: KeyObject | undefined): Promise<void> {
  const words = JSON.stringify(access);
  const file = { access: words, seal: key === undefined ? '' : sealText(key, words) };
  const text = new TextEncoder().encode(`${JSON.stringify(file)}\n`);
  try {
    await replaceFile(new Folder(path, OWNER_ONLY), ACCESS_FILE, [text]);
  } catch (error) {
    throw explainFileError(error, `cannot write ${join(path, ACCESS_FILE)}`);
  }
}

/**
 * @param key of this machine
 * @returns undefined when the run was never open to workers; `foreign`: what is there was not written on this machine
 */
export async function loadAccess(
  path: string,
  key: KeyObject | undefined,
): Promise<RunAccess | 'foreign' | undefined> {
  const file = join(path, ACCESS_FILE);
  if (!(await exists(file))) return undefined;
  const text = new TextDecoder().decode(await readBoundedFile(file, ACCESS_BYTES_MAX));
  const sealed = v.safeParse(v.pipe(v.string(), v.parseJson(), FileSchema), text);
  if (!sealed.success || key === undefined) return 'foreign';
  const { access: words, seal } = sealed.output;
  if (!isSealed(key, words, seal)) return 'foreign';
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), AccessSchema), words);
  return result.success ? result.output : 'foreign';
}
