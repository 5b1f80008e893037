/*
 * The lease of a run directory: a file that names the process which writes there. A second one is refused, for two
 * would interleave their lines and remove each other's checkpoints.
 *
 * A process that was killed leaves its lease behind. On the same machine a stale lease is recognised by its process: it
 * is gone, it is another one that was given the same number later, or the machine has been started anew. Of a process
 * on another machine (a directory on a file server) only its heartbeat is seen: the holder writes the file again every few
 * seconds, and the age is measured by the clock of the file system, so that the clocks of two machines need not agree.
 */
import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { type Cancel, type Clock, epochMs } from '../../shared/actor/clock.js';
import { randomIdentifier } from '../../shared/actor/rng.js';
import { UserError } from '../../shared/errors.js';
import { errorCode, explainFileError } from '../../shared/files/file-error.js';

/** Its name in a run's directory. */
export const LEASE_FILE = 'lease.json';
/** How often the holder shows that it is alive. */
const HEARTBEAT_MS = 5000;
/** A holder on another machine that was silent for so long is taken for gone. */
const SILENCE_MS_MAX = 60_000;
/** Stale leases that are removed before giving up: more come only from others who try to take the same directory. */
const ATTEMPTS_MAX = 5;
const LEASE_BYTES_MAX = 4096;

const HolderSchema = v.object({
  host: v.pipe(v.string(), v.regex(/^[\w.-]{1,255}$/)),
  pid: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  since: v.pipe(v.string(), v.regex(/^[\w:.-]{1,40}$/)),
  nonce: v.pipe(v.string(), v.maxLength(40)),
  /** What tells this process from any other of the same number; null where the system does not say. */
  boot: v.nullable(v.string()),
  namespace: v.nullable(v.string()),
  started: v.nullable(v.string()),
});
type Holder = v.InferOutput<typeof HolderSchema>;

/** The right to write to a run directory, from `take` until `release`. */
export class Lease {
  private cancelHeartbeat: Cancel = () => {};
  private isHeld = true;
  /** Called once, when another process has taken the directory over. */
  onLost: (error: UserError) => void = () => {};

  private constructor(
    private readonly directory: string,
    private readonly nonce: string,
    private readonly text: string,
    private readonly clock: Clock,
  ) {
    this.beat();
  }

  /**
   * @param directory exists already
   * @throws UserError that names the holder and what to do, when there is one
   */
  static take(directory: string, clock: Clock): Lease {
    const nonce = randomIdentifier();
    const file = join(directory, LEASE_FILE);
    const own: Holder = {
      ...{ host: hostOf(), pid: process.pid, since: new Date(epochMs()).toISOString(), nonce },
      ...{ boot: bootOf(), namespace: namespaceOf(), started: startOf(process.pid)?.started ?? null },
    };
    const text = `${JSON.stringify(own)}\n`;
    try {
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        if (create(file, text)) return new Lease(directory, nonce, text, clock);
        const other = readHolder(file);
        if (other === 'gone') continue;
        if (isAlive(other, file, nonce)) throw held(directory, other);
        setAside(file, other, nonce);
      }
    } catch (error) {
      throw explainFileError(error, `cannot use ${directory} as the run directory`);
    }
    throw held(directory, undefined);
  }

  /**
   * Whether a process writes to a directory now. Takes nothing and removes nothing.
   * @throws UserError when that cannot be found out
   */
  static isHeld(directory: string): boolean {
    const file = join(directory, LEASE_FILE);
    try {
      const holder = readHolder(file);
      return holder !== 'gone' && isAlive(holder, file, randomIdentifier());
    } catch (error) {
      throw explainFileError(error, `cannot read ${file}`);
    }
  }

  /** Lets others have the directory; a second call does nothing. */
  release(): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    this.cancelHeartbeat();
    const file = join(this.directory, LEASE_FILE);
    try {
      if (this.isOurs(file)) unlinkSync(file);
    } catch {
      // The directory is gone, or can no longer be written to: the lease goes stale by itself.
    }
  }

  private beat(): void {
    this.cancelHeartbeat = this.clock.after(HEARTBEAT_MS, () => {
      const file = join(this.directory, LEASE_FILE);
      try {
        if (!this.isOurs(file)) {
          this.isHeld = false;
          const problem = `${this.directory} was taken over by another process; train into another folder with --run-dir DIR`;
          return this.onLost(new UserError(problem));
        }
        rewrite(file, this.text);
      } catch {
        // A file server that is away for a moment: the next heartbeat tries again.
      }
      this.beat();
    });
  }

  private isOurs(file: string): boolean {
    const holder = readHolder(file);
    return holder !== 'gone' && holder?.nonce === this.nonce;
  }
}

/** @returns false when there is a lease already */
function create(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Writes what is there already: its file system notes the time. */
function rewrite(file: string, text: string): void {
  const descriptor = openSync(file, 'r+');
  try {
    writeSync(descriptor, text, 0);
  } finally {
    closeSync(descriptor);
  }
}

/** Who holds a lease; undefined when its file says nothing: it is being written, or the machine lost its power then. */
function readHolder(file: string): Holder | undefined | 'gone' {
  try {
    const result = v.safeParse(v.pipe(v.string(), v.parseJson(), HolderSchema), readBegin(file));
    return result.success ? result.output : undefined;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return 'gone';
    throw error;
  }
}

/** The first bytes of a file that others may have put there; nothing of one that is no regular file. */
function readBegin(file: string): string {
  const { O_RDONLY, O_NONBLOCK = 0 } = constants;
  const descriptor = openSync(file, O_RDONLY | O_NONBLOCK);
  try {
    if (!fstatSync(descriptor).isFile()) return '';
    const buffer = Buffer.alloc(LEASE_BYTES_MAX);
    return buffer.toString('utf8', 0, readSync(descriptor, buffer));
  } finally {
    closeSync(descriptor);
  }
}

function isAlive(holder: Holder | undefined, file: string, nonce: string): boolean {
  const isHere = holder?.host === hostOf() && holder.namespace === namespaceOf();
  if (holder === undefined || !isHere) return silenceMs(file, nonce) < SILENCE_MS_MAX;
  if (holder.boot !== bootOf()) return false;
  const process = startOf(holder.pid);
  if (process !== undefined) return process.isRunning && process.started === holder.started;
  // Without /proc a number says little: another process may have it by now.
  return hasPid(holder.pid) && silenceMs(file, nonce) < SILENCE_MS_MAX;
}

/** How long a lease was not touched, by the clock that dates the files beside it. */
function silenceMs(file: string, nonce: string): number {
  const probe = `${file}.${nonce}`;
  writeFileSync(probe, '');
  try {
    return statSync(probe).mtimeMs - statSync(file).mtimeMs;
  } finally {
    unlinkSync(probe);
  }
}

/**
 * Removes a stale lease, and no other: between the look at it and its removal somebody else may have removed it and
 * put a fresh one in its place, which is put back then.
 */
function setAside(file: string, stale: Holder | undefined, nonce: string): void {
  const aside = `${file}.${nonce}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  const moved = readHolder(aside);
  if (moved !== 'gone' && moved?.nonce !== stale?.nonce) linkSync(aside, file);
  unlinkSync(aside);
}

function held(directory: string, holder: Holder | undefined): UserError {
  const who =
    holder === undefined
      ? 'another process, which has just begun'
      : `process ${holder.pid} on ${holder.host} since ${holder.since}`;
  const lapse =
    holder === undefined || holder.host === hostOf()
      ? ''
      : ` (if that machine is gone, its claim lapses ${SILENCE_MS_MAX / 1000} s after its last sign of life)`;
  return new UserError(
    `${directory} is in use by ${who}; wait until it ends or stop it, or train into another folder with --run-dir DIR${lapse}`,
  );
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
