// @ts-check
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { runQuietly } from './process.mjs';

/** Folders that tsconfig.build.json compiles, and the page, which is bundled. */
const SOURCE_FOLDERS = [
  'coordinator',
  'worker',
  'relay',
  'shared',
  'trainer',
  'simulation',
  'scripts',
  'examples',
  'web',
];
/** Files that the compiled program reads beside its modules. They are copied to dist/. */
const ASSETS = new Set(['.wasm', '.json', '.html', '.css', '.svg', '.js']);
/** Files that the result depends on. A change of one of them causes a new build. */
const INPUTS = new Set([...ASSETS, '.ts', '.tsx', '.mjs', '.c', '.h']);
/** The folder whose files the bundle holds. */
const BUNDLED = 'web/';
const SETTINGS = ['tsconfig.json', 'tsconfig.build.json', 'package.json', 'package-lock.json'];
const COMPILE = fileURLToPath(new URL('./compile.mjs', import.meta.url));
/** File in dist/ with the fingerprint of the sources that it was built from. */
const STAMP = '.sources';

/**
 * @param {string} root folder of package.json
 * @returns {boolean} whether dist/ was built from exactly these sources
 */
export function buildIsFresh(root) {
  const stamp = join(root, 'dist', STAMP);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint(root);
}

/**
 * Compiles into a new folder, which replaces dist/ at the end: a failed build leaves the last good one, and no output of
 * a deleted source remains.
 * @param {string} root folder of package.json
 * @throws {Error} when the compiler reports errors, which it has printed
 */
export function buildSources(root) {
  const stamp = fingerprint(root);
  const fresh = join(root, 'dist.next');
  const old = join(root, '.cache', 'dist.old');
  for (const folder of [fresh, old]) rmSync(folder, { recursive: true, force: true });
  try {
    if (!runQuietly(process.execPath, [COMPILE, fresh], root)) {
      throw new Error('the compiler found errors; fix them, then try again');
    }
    for (const path of sourceFiles(root)) {
      if (ASSETS.has(extname(path)) && !path.startsWith(BUNDLED))
        copyInto(join(root, path), join(fresh, path));
    }
    writeFileSync(join(fresh, STAMP), stamp);
    // There is never half a dist/: a program that starts now finds the old one or the new one.
    const dist = join(root, 'dist');
    mkdirSync(dirname(old), { recursive: true });
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(fresh, dist);
  } finally {
    for (const folder of [fresh, old]) rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} from @param {string} to */
function copyInto(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
}

/**
 * Hash of the path and content of every input, and not of times, so that a fresh checkout, a restored cache or a touched
 * file causes no build. Takes a few milliseconds for the whole tree.
 * @param {string} root
 */
function fingerprint(root) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`);
  for (const path of [...SETTINGS, ...sourceFiles(root)]) {
    const content = readFileSync(join(root, path));
    hash.update(`${path} ${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

/** @param {string} root @returns {string[]} sorted paths relative to root, with forward slashes */
function sourceFiles(root) {
  /** @type {string[]} */
  const found = [];
  for (const folder of SOURCE_FOLDERS) {
    if (existsSync(join(root, folder))) collect(root, folder, found);
  }
  return found.sort();
}

/** @param {string} root @param {string} folder @param {string[]} found */
function collect(root, folder, found) {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) collect(root, path, found);
    else if (INPUTS.has(extname(entry.name))) found.push(path);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    buildSources(process.cwd());
  } catch (error) {
    process.stderr.write(`build: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
