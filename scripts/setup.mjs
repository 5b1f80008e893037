// @ts-check
/**
 * Makes a checkout ready to run, and says in short lines on stderr what it does: packages installed, TypeScript
 * compiled into dist/, the native addon built where a C compiler is at hand. Silent when nothing is to do.
 * Plain Node, no packages: this file runs before there are any.
 */
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildIsFresh, buildSources } from './setup/build.mjs';
import { withLock } from './setup/lock.mjs';
import { tooOld } from './setup/node-version.mjs';
import { installPackages, whyInstall } from './setup/packages.mjs';

/** The folder of package.json. */
const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** @param {string} line */
const say = (line) => process.stderr.write(`${line}\n`);

/**
 * Brings packages and build output up to date.
 * @param {string} [root] folder of package.json
 * @throws {Error} with one line that says what failed and what to do
 */
export function setup(root = ROOT) {
  const complaint = tooOld(process.versions.node);
  if (complaint) throw new Error(complaint);
  if (!whyInstall(root) && buildIsFresh(root)) return;
  // Two terminals may start in the same fresh checkout: the second waits, then finds nothing left to do.
  withLock(join(root, '.cache', 'setup.lock'), say, () => {
    const reason = whyInstall(root);
    if (reason) {
      say(`setup: installing packages (${reason})`);
      installPackages(root);
    }
    if (buildIsFresh(root)) return;
    say('setup: compiling, the kernels too (up to half a minute, the first time only)');
    buildSources(root);
  });
}

/** Runs `setup`; a failure becomes one line on stderr and exit status 1. */
export function setupOrExit() {
  try {
    setup();
  } catch (error) {
    say(`setup: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) setupOrExit();
