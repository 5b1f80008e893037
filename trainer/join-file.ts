/*
 * The join line of a run in a file, for workers that something else starts: a scheduler, a service manager. They find the run in
 * whatever order the machines start, and again after the coordinator was started anew.
 */
import { rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Clock } from '../shared/actor/clock.js';
import { UserError } from '../shared/errors.js';
import { explainFileError } from '../shared/files/file-error.js';
import { Folder } from '../shared/files/folder.js';
import { exists, readBoundedFile } from '../shared/files/read-file.js';
import { replaceFile } from '../shared/files/storage.js';

/** Who reads the file may work for the run. */
const OWNER_ONLY = 0o600;
const FILE_BYTES_MAX = 4096;
/** How long a worker waits for the file: a scheduler may start the coordinator long after its workers. */
const WAIT_MS_MAX = 600_000;
const LOOK_EVERY_MS = 500;

/** Writes the join line of a run, whole or not at all. @throws UserError that names the file and the remedy */
export async function writeJoinFile(path: string, joinUrl: string): Promise<void> {
  try {
    const text = new TextEncoder().encode(`${joinUrl}\n`);
    await replaceFile(new Folder(dirname(path), OWNER_ONLY), basename(path), [text]);
  } catch (error) {
    throw explainFileError(error, `cannot write ${path} (--join-file)`);
  }
}

/** Removes the file: nobody can join a run that has ended. */
export async function removeJoinFile(path: string): Promise<void> {
  await rm(path, { force: true });
}

/**
 * The join line in a file, as soon as it is there.
 * @param host is told about the wait, and may interrupt it: it then rejects with the reason
 * @throws UserError when the file does not appear within ten minutes, or cannot be read
 */
export async function awaitJoinFile(
  path: string,
  clock: Clock,
  host: { say(line: string): void; readonly interrupted: AbortSignal },
): Promise<string> {
  const startedMs = clock.nowMs();
  for (let isFirst = true; !(await exists(path)); isFirst = false) {
    if (isFirst) host.say(`waiting for ${path}, which train --join-file writes`);
    if (clock.nowMs() - startedMs >= WAIT_MS_MAX)
      throw new UserError(
        `${path} did not appear within ${WAIT_MS_MAX / 60_000} minutes; start the run: train --join-file ${path}`,
      );
    await new Promise<void>((resolve) => void clock.after(LOOK_EVERY_MS, resolve));
    host.interrupted.throwIfAborted();
  }
  return new TextDecoder().decode(await readBoundedFile(path, FILE_BYTES_MAX)).trim();
}
