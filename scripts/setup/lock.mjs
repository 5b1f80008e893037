// @ts-check
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Time between two checks of a lock that another process holds. */
const POLL_MS = 100;
/** Longest wait for another process. An installation over a slow connection takes minutes. */
const WAIT_MS_MAX = 15 * 60_000;

/**
 * Does `work` while holding the lock file at `path`, which contains the holder's process id. A lock whose holder no
 * longer runs is taken over.
 * @param {string} path
 * @param {(line: string) => void} say
 * @param {() => void} work
 * @throws {Error} when another process keeps the lock for longer than a quarter of an hour
 */
export function withLock(path, say, work) {
  mkdirSync(dirname(path), { recursive: true });
  for (let waitedMs = 0; !acquire(path); waitedMs += POLL_MS) {
    if (waitedMs === 0) say('setup: waiting for another setup of this folder');
    if (waitedMs >= WAIT_MS_MAX)
      throw new Error(`another setup has not finished; if none is running, delete ${path}`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_MS);
  }
  try {
    work();
  } finally {
    rmSync(path, { force: true });
  }
}

/** @param {string} path @returns {boolean} */
function acquire(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  if (isHolderAlive(path)) return false;
  rmSync(path, { force: true });
  return acquire(path);
}

/** @param {string} path @returns {boolean} */
function isHolderAlive(path) {
  try {
    const holder = Number(readFileSync(path, 'utf8'));
    // Empty between the creation of the file and the writing of the number. The holder is alive then.
    if (holder === 0) return true;
    process.kill(holder, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
