import { join } from 'node:path';
import * as v from 'valibot';
import { CONFIG_FILE } from '../../coordinator/storage/run-config.js';
import { UserError } from '../../shared/errors.js';
import { writeFileAtomically } from '../../shared/files/atomic-file.js';
import { explainFileError } from '../../shared/files/file-error.js';
import { makeDirectories } from '../../shared/files/make-directory.js';
import { exists, readBoundedFile } from '../../shared/files/read-file.js';
import { type RunRecord, readRun } from '../run-records/run-record.js';
import type { TrialOptions } from './search-space.js';

/** Says what the directory of a sweep holds. */
const SWEEP_FILE = 'sweep.json';
const SWEEP_FORMAT = 'unisum-sweep/1';
const SWEEP_BYTES_MAX = 2 ** 24;

const SweepSchema = v.strictObject({ format: v.literal(SWEEP_FORMAT), plan: v.string() });

/**
 * Makes the directory of a sweep, or finds it as a killed sweep has left it.
 * @param plan all that decides what is trained, as text
 * @returns whether the sweep goes on
 * @throws UserError when the directory holds another sweep or something else
 */
export async function openSweepFolder(path: string, plan: string): Promise<boolean> {
  const file = join(path, SWEEP_FILE);
  if (await exists(file)) {
    const text = new TextDecoder().decode(await readBoundedFile(file, SWEEP_BYTES_MAX));
    const result = v.safeParse(v.pipe(v.string(), v.parseJson(), SweepSchema), text);
    if (result.success && result.output.plan === plan) return true;
    throw new UserError(`${path} holds a sweep of other settings; name another with --sweep-dir DIR`, 2);
  }
  try {
    await makeDirectories(path);
  } catch (error) {
    throw explainFileError(error, `cannot make the directory ${path}`);
  }
  const text = `${JSON.stringify({ format: SWEEP_FORMAT, plan })}\n`;
  await writeFileAtomically(file, [new TextEncoder().encode(text)]);
  return false;
}

/** What an earlier session of the sweep has left of a trial; undefined when nothing. @throws UserError when it is damaged */
export async function trialRun(path: string): Promise<RunRecord | undefined> {
  return (await exists(join(path, CONFIG_FILE))) ? readRun(path) : undefined;
}

/** The name of a trial. @param epochs of its rung, in successive halving */
export function trialName(index: number, epochs: number | undefined): string {
  const number = `trial-${String(index + 1).padStart(3, '0')}`;
  return epochs === undefined ? number : `${number}-epochs-${epochs}`;
}

/** Options as they are typed: "--lr 0.1 --batch 32". */
export function optionsText(options: TrialOptions): string {
  return Object.entries(options)
    .map(([name, value]) => `--${name} ${/^[\w.:=,/-]+$/.test(value) ? value : `'${value}'`}`)
    .join(' ');
}
