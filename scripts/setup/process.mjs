// @ts-check
import { spawnSync } from 'node:child_process';

/**
 * Runs a program to its end, and sends all of its output to stderr, because stdout carries only the command's result.
 * @param {string} program
 * @param {string[]} args
 * @param {string} cwd
 * @returns {boolean} whether it ended with status 0
 */
export function runQuietly(program, args, cwd) {
  return spawnSync(program, args, { cwd, stdio: ['ignore', 2, 2] }).status === 0;
}
