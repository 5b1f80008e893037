import { lstat, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LEASE_FILE, Lease } from '../../coordinator/storage/lease.js';
import { RUN_FILES } from '../../coordinator/storage/run-directory.js';
import type { Clock } from '../../shared/actor/clock.js';
import { explainFileError } from '../../shared/files/file-error.js';
import type { RunRecord } from './run-record.js';

/** Which runs may be removed. A run that can be resumed is of no kind: it is never removed. */
export const CLEANED_KINDS = ['finished', 'diverged', 'untrained'] as const;
export type CleanedKind = (typeof CLEANED_KINDS)[number];

/** A run to be removed. */
export interface RemovableRun {
  readonly path: string;
  readonly kind: CleanedKind;
  readonly bytes: number;
  /** Files that no run writes: they stay, and so does the directory. */
  readonly foreign: readonly string[];
}

/** The kind of a run that may be removed; undefined for one that may not. */
export function cleanedKind({ state, steps }: Pick<RunRecord, 'state' | 'steps'>): CleanedKind | undefined {
  if (state === 'running') return undefined;
  if (state === 'diverged') return 'diverged';
  if (state === 'finished' || state === 'stopped') return 'finished';
  return steps === 0 ? 'untrained' : undefined;
}

/** What would be removed, in the order of the runs. @throws UserError when a directory cannot be read */
export async function removableRuns(
  runs: readonly RunRecord[],
  kinds: readonly CleanedKind[],
): Promise<RemovableRun[]> {
  const found: RemovableRun[] = [];
  for (const run of runs) {
    const kind = cleanedKind(run);
    if (kind === undefined || !kinds.includes(kind)) continue;
    const names = await explained(run.path, 'read', () => readdir(run.path));
    const own = names.filter((name) => RUN_FILES.includes(name));
    const foreign = names.filter((name) => !own.includes(name) && name !== LEASE_FILE);
    let bytes = 0;
    for (const name of own) bytes += await explained(run.path, 'read', () => bytesOf(join(run.path, name)));
    found.push({ path: run.path, kind, bytes, foreign });
  }
  return found;
}

/**
 * Removes the files of a run, and its directory when nothing else is in it.
 * @throws UserError when another process uses the run, or a file cannot be removed
 */
export async function removeRun({ path, foreign }: RemovableRun, clock: Clock): Promise<void> {
  // A run that somebody resumes now must keep its files.
  const lease = Lease.take(path, clock);
  try {
    await explained(path, 'remove', async () => {
      for (const name of RUN_FILES) await rm(join(path, name), { force: true, recursive: true });
    });
  } finally {
    lease.release();
  }
  if (foreign.length === 0) await explained(path, 'remove', () => rmdir(path));
}

/** Of a file, or of all files below a folder. Links count for themselves. */
async function bytesOf(path: string): Promise<number> {
  const { size, isFolder } = await lstat(path).then((stats) => ({
    size: stats.size,
    isFolder: stats.isDirectory(),
  }));
  if (!isFolder) return size;
  let bytes = 0;
  for (const name of await readdir(path)) bytes += await bytesOf(join(path, name));
  return bytes;
}

async function explained<T>(path: string, verb: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw explainFileError(error, `cannot ${verb} the run ${path}`);
  }
}
