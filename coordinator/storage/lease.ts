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
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { type Cancel, type Clock, epochMs } from '../../shared/actor/clock.js';
import { randomIdentifier } from '../../shared/actor/rng.js';
import { UserError } from '../../shared/errors.js';
import { errorCode, explainFileError } from '../../shared/files/file-error.js';
import { isRunning, ownIdentity } from './process-identity.js';

/** Its name in a run's directory. */
export const LEASE_FILE = 'lease.json';
/** How often the holder shows that it is alive. */
const HEARTBEAT_MS = 2000;
/** A holder on another machine that was silent for so long is taken for gone: ten heartbeats. */
const SILENCE_MS_MAX = 20_000;
/** A holder that has not looked for so long looks before it writes: it may have been paused, and another may be at work. */
const UNSEEN_MS_MAX = 5000;
/** How often somebody who waits for a lease looks. */
const LOOK_EVERY_MS = 500;
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
  /** When the lease was last seen to be ours: by a clock that nobody sets, and by one that goes on in a machine that sleeps. */
  private seenAtMs = { monotonic: 0, epoch: 0 };
  /** Called once, when another process has taken the directory over. */
  onLost: (error: UserError) => void = () => {};

  private constructor(
    private readonly directory: string,
    private readonly nonce: string,
    private readonly text: string,
    private readonly clock: Clock,
  ) {
    this.see();
    this.beat();
  }

  /**
   * @param directory exists already
   * @throws UserError that names the holder and what to do, when there is one
   */
  static take(directory: string, clock: Clock): Lease {
    const taken = Lease.attempt(directory, clock);
    if (taken instanceof Lease) return taken;
    throw held(directory, taken.holder);
  }

  /**
   * Takes the lease as soon as nobody has it.
   * @param onHeld is told who has it, whenever that is somebody else
   * @throws UserError when the directory cannot be used
   */
  static async takeWhenFree(
    directory: string,
    clock: Clock,
    onHeld: (holder: string) => void,
  ): Promise<Lease> {
    let told: string | undefined;
    for (;;) {
      const taken = Lease.attempt(directory, clock);
      if (taken instanceof Lease) return taken;
      const holder = nameOf(taken.holder);
      if (holder !== told) onHeld(holder);
      told = holder;
      await new Promise<void>((resolve) => void clock.after(LOOK_EVERY_MS, resolve));
    }
  }

  /** @returns who has it, where somebody has */
  private static attempt(directory: string, clock: Clock): Lease | { readonly holder: Holder | undefined } {
    const nonce = randomIdentifier();
    const file = join(directory, LEASE_FILE);
    const own: Holder = { ...ownIdentity(), since: new Date(epochMs()).toISOString(), nonce };
    const text = `${JSON.stringify(own)}\n`;
    try {
      for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        if (create(file, text)) return new Lease(directory, nonce, text, clock);
        const holder = readHolder(file);
        if (holder === 'gone') continue;
        if (isAlive(holder, file, nonce)) return { holder };
        setAside(file, holder, nonce);
      }
    } catch (error) {
      throw explainFileError(error, `cannot use ${directory} as the run directory`);
    }
    return { holder: undefined };
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

  /**
   * Before something is written: makes sure that the directory was not taken over while this process was paused.
   * @throws UserError when it was
   */
  confirm(): void {
    const { monotonic, epoch } = this.seenAtMs;
    const unseenMs = Math.max(this.clock.nowMs() - monotonic, Math.abs(epochMs() - epoch));
    if (!this.isHeld || (unseenMs > UNSEEN_MS_MAX && !this.isOurs(join(this.directory, LEASE_FILE))))
      throw this.lost();
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
        if (!this.isOurs(file)) return this.onLost(this.lost());
        rewrite(file, this.text);
      } catch {
        // A file server that is away for a moment: the next heartbeat tries again.
      }
      this.beat();
    });
  }

  private isOurs(file: string): boolean {
    const holder = readHolder(file);
    const isOurs = holder !== 'gone' && holder?.nonce === this.nonce;
    if (isOurs) this.see();
    return isOurs;
  }

  private see(): void {
    this.seenAtMs = { monotonic: this.clock.nowMs(), epoch: epochMs() };
  }

  private lost(): UserError {
    this.isHeld = false;
    return new UserError(
      `${this.directory} was taken over by another process; train into another folder with --run-dir DIR`,
    );
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
  return (holder && isRunning(holder)) ?? silenceMs(file, nonce) < SILENCE_MS_MAX;
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
  const lapse =
    holder === undefined || holder.host === ownIdentity().host
      ? ''
      : ` (if that machine is gone, its claim lapses ${SILENCE_MS_MAX / 1000} s after its last sign of life)`;
  return new UserError(
    `${directory} is in use by ${nameOf(holder)}; wait until it ends or stop it, or train into another folder with --run-dir DIR${lapse}`,
  );
}

function nameOf(holder: Holder | undefined): string {
  return holder === undefined
    ? 'another process, which has just begun'
    : `process ${holder.pid} on ${holder.host} since ${holder.since}`;
}
