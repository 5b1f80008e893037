import type { SeededRandom } from '../../shared/actor/seeded-random.js';
import type { Storage } from '../../shared/files/storage.js';

/** Longest time that an operation takes, usually and on a disk that is slow. */
const USUAL_MS = 5;
const SLOW_MS = 1500;

/** What a disk needs of the world. */
export interface DiskWorld {
  after(delayMs: number, act: () => void): void;
  readonly random: SeededRandom;
}

/** Files as they were before an operation; undefined: not there. */
type Before = readonly (readonly [name: string, bytes: Uint8Array | undefined])[];

/**
 * A disk in virtual time, with one folder. Operations take their time; a process that is killed leaves what it was
 * writing torn; a loss of power undoes the latest of the operations that have not been flushed, any number of them.
 */
export class VirtualDisk implements Storage {
  isSlow = false;
  isFull = false;
  /** Operations asked for and not yet answered. */
  pending = 0;
  private readonly files = new Map<string, Uint8Array>();
  private unflushed: Before[] = [];
  /** The file that is being written. */
  private writing: { name: string; bytes: Uint8Array } | undefined;
  /** Processes that have used the disk: what was asked by an earlier one is never answered. */
  private process = 0;

  constructor(private readonly world: DiskWorld) {}

  /** The process is gone from one moment to the next. @returns whether a file is torn for that */
  crash(losesPower: boolean): boolean {
    const { random } = this.world;
    this.process += 1;
    this.pending = 0;
    const torn = this.writing;
    this.writing = undefined;
    if (torn !== undefined) this.change([[torn.name, torn.bytes.slice(0, random.below(torn.bytes.length))]]);
    if (losesPower) {
      const lost = random.below(this.unflushed.length + 1);
      for (const before of this.unflushed.slice(this.unflushed.length - lost).reverse()) this.set(before);
      this.unflushed = [];
    }
    return torn !== undefined;
  }

  list(): Promise<readonly string[]> {
    return this.later(() => [...this.files.keys()]);
  }

  read(name: string): Promise<Uint8Array> {
    return this.later(() => {
      const bytes = this.files.get(name);
      if (bytes === undefined) throw systemError('ENOENT');
      return bytes;
    });
  }

  write(name: string, pieces: Iterable<Uint8Array>): Promise<void> {
    const bytes = Buffer.concat([...pieces]);
    this.writing = { name, bytes };
    return this.later(() => {
      this.writing = undefined;
      if (this.isFull) {
        this.change([[name, bytes.subarray(0, this.world.random.below(bytes.length))]]);
        throw systemError('ENOSPC');
      }
      this.change([[name, bytes]]);
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.later(() => {
      const bytes = this.files.get(from);
      if (bytes === undefined) throw systemError('ENOENT');
      this.change([
        [to, bytes],
        [from, undefined],
      ]);
    });
  }

  sync(): Promise<void> {
    return this.later(() => {
      this.unflushed = [];
    });
  }

  remove(name: string): Promise<void> {
    return this.later(() => this.change([[name, undefined]]));
  }

  private change(after: Before): void {
    this.unflushed.push(after.map(([name]) => [name, this.files.get(name)]));
    this.set(after);
  }

  private set(files: Before): void {
    for (const [name, bytes] of files) {
      if (bytes === undefined) this.files.delete(name);
      else this.files.set(name, bytes);
    }
  }

  private later<T>(act: () => T): Promise<T> {
    const { world, process } = this;
    const delayMs = (world.random.below(1000) / 1000) * (this.isSlow ? SLOW_MS : USUAL_MS);
    this.pending += 1;
    return new Promise((resolve, reject) => {
      world.after(delayMs, () => {
        if (process !== this.process) return;
        this.pending -= 1;
        try {
          resolve(act());
        } catch (error) {
          reject(error);
        }
      });
    });
  }
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
