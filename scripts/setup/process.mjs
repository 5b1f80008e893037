// @ts-check
import { spawnSync } from 'node:child_process';

/**
 * Runs a program to its end with everything it prints on stderr, since stdout belongs to the command's own result.
 * @param {string} program
 * @param {string[]} args
 * @param {string} cwd
 * @returns {boolean} whether it ended with status 0
 */
export function runQuietly(program, args, cwd) {
  return spawnSync(program, args, { cwd, stdio: ['ignore', 2, 2] }).status === 0;
}
