// @ts-check
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runQuietly } from './process.mjs';

/**
 * One entry of a lock file's `packages` table, as far as it matters here.
 * @typedef {{version?: string, integrity?: string, optional?: boolean, os?: string[], cpu?: string[]}} Locked
 * @typedef {Record<string, Locked>} LockedPackages keyed by path, such as "node_modules/ws"
 */

/**
 * Says why packages must be installed, by comparing package-lock.json with npm's own record of what it installed.
 * @param {string} root folder of package.json
 * @returns {string | undefined} a reason in a few words, or undefined when everything is in place
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
    // An optional package may be left out by npm for this platform, or because it could not be had.
    if (!have && want.optional) continue;
    if (!have) return `${nameOf(path)} is missing`;
    if (have.version !== want.version) return `${nameOf(path)} is not ${want.version}`;
    if (have.integrity && want.integrity && have.integrity !== want.integrity)
      return `${nameOf(path)} has changed`;
  }
  for (const [path, have] of Object.entries(installed)) {
    if (!wanted[path]) return `${nameOf(path)} is no longer used`;
    // node_modules copied from another kind of machine: its compiled parts would not load.
    if (!admits(have.os, machine.platform) || !admits(have.cpu, machine.arch)) {
      return `${nameOf(path)} is for another machine`;
    }
  }
  return undefined;
}

/**
 * Installs exactly what package-lock.json names.
 * @param {string} root folder of package.json
 * @throws {Error} when npm is not there or fails
 */
export function installPackages(root) {
  // Under `npm run -s` the inner npm would inherit the silence and hide its errors; under NODE_ENV=production it
  // would leave out the compiler.
  const args = ['ci', '--include=dev', '--loglevel=error', '--no-audit', '--no-fund'];
  const cli = process.env.npm_execpath;
  const done = cli?.endsWith('.js')
    ? runQuietly(process.execPath, [cli, ...args], root)
    : runQuietly('npm', args, root);
  if (!done) throw new Error('`npm ci` failed; mend what it says above, then try again');
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
