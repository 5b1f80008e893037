import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CONFIG_FILE } from '../../coordinator/storage/run-config.js';
import { UserError } from '../../shared/errors.js';
import { explainFileError } from '../../shared/files/file-error.js';
import { exists } from '../../shared/files/read-file.js';
import { type RunRecord, readRun } from './run-record.js';

/** The runs of a folder. */
export interface RunList {
  /** The one that was started last comes first. */
  readonly runs: readonly RunRecord[];
  /** Directories of runs that cannot be read, and why. */
  readonly unreadable: readonly { readonly path: string; readonly why: string }[];
}

/**
 * Reads all runs of a folder. Links are not followed: what they lead to lies elsewhere.
 * @throws UserError when the folder cannot be read
 */
export async function readRuns(folder: string): Promise<RunList> {
  const runs: RunRecord[] = [];
  const unreadable: { path: string; why: string }[] = [];
  for (const name of await foldersIn(folder)) {
    const path = join(folder, name);
    if (!(await exists(join(path, CONFIG_FILE)))) continue;
    try {
      runs.push(await readRun(path));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      unreadable.push({ path, why: error.message });
    }
  }
  runs.sort((a, b) => b.config.started.localeCompare(a.config.started) || a.name.localeCompare(b.name));
  return { runs, unreadable };
}

async function foldersIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    throw explainFileError(error, `cannot read the runs of ${folder} (--in DIR names another folder)`);
  }
}
