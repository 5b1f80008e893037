/*
 * Which process a file speaks of, and whether it still runs. A number alone says little: the process may have ended, and its number
 * may be another's since; the machine may have been started anew; and containers count from one.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { errorCode } from '../../shared/files/file-error.js';

/** What tells a process from any other. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** Null where the system does not say. */
  readonly boot: string | null;
  readonly namespace: string | null;
  readonly started: string | null;
}

/** This process. */
export function ownIdentity(): ProcessIdentity {
  return {
    ...{ host: hostOf(), pid: process.pid, boot: bootOf(), namespace: namespaceOf() },
    started: startOf(process.pid)?.started ?? null,
  };
}

/** Whether a process of this machine runs; undefined: it cannot be seen from here. */
export function isRunning({ host, pid, boot, namespace, started }: ProcessIdentity): boolean | undefined {
  if (host !== hostOf() || namespace !== namespaceOf()) return undefined;
  if (boot !== bootOf()) return false;
  const seen = startOf(pid);
  if (seen !== undefined) return seen.isRunning && seen.started === started;
  // Without /proc a number says little: another process may have it by now.
  return hasPid(pid) ? undefined : false;
}

function hasPid(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/** What Linux says of a process: when it was started, and whether it still runs. Undefined where there is no /proc. */
function startOf(pid: number): { started: string; isRunning: boolean } | undefined {
  if (bootOf() === null) return undefined;
  try {
    // "pid (name) state ...": the name may hold spaces and brackets. The start is field 22, in ticks since boot.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return { started: fields[19] ?? '', isRunning: !['Z', 'X'].includes(fields[0] ?? 'X') };
  } catch {
    return { started: '', isRunning: false };
  }
}

/** The name of this machine, in letters that fit a line of text. */
function hostOf(): string {
  return (
    hostname()
      .replace(/[^\w.-]/g, '-')
      .slice(0, 255) || 'unknown'
  );
}

/** What tells one start of this machine from the next; null where the system does not say. */
function bootOf(): string | null {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return null;
  }
}

/** Two containers may have the same name, and different processes of the same number. */
function namespaceOf(): string | null {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return null;
  }
}
