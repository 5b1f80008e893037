// @ts-check
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runQuietly } from './process.mjs';

/**
 * One entry of a lock file's `packages` table: the fields that are used here.
 * @typedef {{version?: string, integrity?: string, optional?: boolean, os?: string[], cpu?: string[]}} Locked
 * @typedef {Record<string, Locked>} LockedPackages keyed by path, such as "node_modules/ws"
 */

/**
 * Why packages must be installed. Compares package-lock.json with npm's own record of what it installed.
 * @param {string} root folder of package.json
 * @returns {string | undefined} the reason in a few words, or undefined when everything is installed
 */
export function whyInstall(root) {
  const installed = readPackages(join(root, 'node_modules', '.package-lock.json'));
  if (!installed) return 'none yet';
  const wanted = readPackages(join(root, 'package-lock.json'));
  if (!wanted) return undefined;
  return firstDifference(wanted, installed, process);
}

/**
 * @param {LockedPackages} wanted
 * @param {LockedPackages} installed
 * @param {{platform: string, arch: string}} machine
 * @returns {string | undefined} the first package that is missing, outdated or superfluous
 */
export function firstDifference(wanted, installed, machine) {
  for (const [path, want] of Object.entries(wanted)) {
    if (path === '') continue;
    const have = installed[path];
    // npm may leave an optional package out, for this platform or because it was not available.
    if (!have && want.optional) continue;
    if (!have) return `${nameOf(path)} is missing`;
    if (have.version !== want.version) return `${nameOf(path)} is not ${want.version}`;
    if (have.integrity && want.integrity && have.integrity !== want.integrity)
      return `${nameOf(path)} has changed`;
  }
  for (const [path, have] of Object.entries(installed)) {
    if (!wanted[path]) return `${nameOf(path)} is no longer used`;
    // Compiled code in a node_modules that was copied from another platform would not load.
    if (!admits(have.os, machine.platform) || !admits(have.cpu, machine.arch)) {
      return `${nameOf(path)} is for another machine`;
    }
  }
  return undefined;
}

/**
 * Installs exactly what package-lock.json names.
 * @param {string} root folder of package.json
 * @throws {Error} when npm is missing or fails
 */
export function installPackages(root) {
  // Under `npm run -s` the inner npm would hide its errors, and under NODE_ENV=production it would leave out the compiler.
  const args = ['ci', '--include=dev', '--loglevel=error', '--no-audit', '--no-fund'];
  const cli = process.env.npm_execpath;
  const done = cli?.endsWith('.js')
    ? runQuietly(process.execPath, [cli, ...args], root)
    : runQuietly('npm', args, root);
  if (!done) throw new Error('`npm ci` failed; fix the errors above, then try again');
}

/** @param {string} file @returns {LockedPackages | undefined} */
function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** @param {string} path */
const nameOf = (path) => path.replace(/^.*node_modules\//, '');

/**
 * npm's rule for `os` and `cpu`: a list of names, or of names excluded with "!".
 * @param {string[] | undefined} list
 * @param {string} name
 */
function admits(list, name) {
  if (!list || list.length === 0) return true;
  if (list.includes(`!${name}`)) return false;
  return list.includes(name) || list.every((entry) => entry.startsWith('!'));
}
