// @ts-check
/**
 * Prepares a checkout to run: installs packages, compiles TypeScript into dist/, and builds the native addon if there is
 * a C compiler. Prints each action as one line on stderr; prints nothing when everything is up to date.
 * Plain Node without packages, because it runs before they are installed.
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
 * @throws {Error} with one line that says what failed and how to fix it
 */
export function setup(root = ROOT) {
  const complaint = tooOld(process.versions.node);
  if (complaint) throw new Error(complaint);
  if (!whyInstall(root) && buildIsFresh(root)) return;
  // Two terminals may start in the same fresh checkout. The second one waits, then finds everything up to date.
  withLock(join(root, '.cache', 'setup.lock'), say, () => {
    const reason = whyInstall(root);
    if (reason) {
      say(`setup: installing packages (${reason})`);
      installPackages(root);
    }
    if (buildIsFresh(root)) return;
    say('setup: compiling the program and its kernels (up to half a minute, once)');
    buildSources(root);
  });
}

/** Runs `setup`. A failure becomes one line on stderr and exit status 1. */
export function setupOrExit() {
  try {
    setup();
  } catch (error) {
    say(`setup: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) setupOrExit();
