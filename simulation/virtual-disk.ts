import type { SeededRandom } from '../shared/actor/seeded-random.js';
import type { DirectoryStorage, FileParts } from '../shared/files/storage.js';

/** Longest time that an operation takes, usually and while the disk is slow. */
const USUAL_MS = 5;
const SLOW_MS = 1500;

/** What a disk needs of the virtual cluster. */
export interface DiskEnvironment {
  after(delayMs: number, act: () => void): void;
  readonly random: SeededRandom;
}

/** Files before or after an operation; undefined: the file does not exist. */
type FileContents = readonly (readonly [name: string, bytes: Uint8Array | undefined])[];

/**
 * A disk with one folder in virtual time. Operations take time. A process that is killed leaves the file torn that it was
 * writing. A loss of power undoes any number of the latest operations that have not been flushed.
 */
export class VirtualDisk implements DirectoryStorage {
  isSlow = false;
  isFull = false;
  /** Operations that were requested and have not completed. */
  pending = 0;
  private readonly files = new Map<string, Uint8Array>();
  /** What each operation since the latest flush has replaced. */
  private unflushed: FileContents[] = [];
  /** The file that is being written. */
  private writing: { name: string; bytes: Uint8Array } | undefined;
  /** Number of the process that uses the disk: what an earlier one requested never completes. */
  private process = 0;

  constructor(private readonly environment: DiskEnvironment) {}

  /** The process ends at once. @returns whether a file is torn */
  crash(losesPower: boolean): boolean {
    const { random } = this.environment;
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

  parts(name: string): FileParts {
    const bytes = this.files.get(name);
    if (bytes === undefined) throw systemError('ENOENT');
    return { size: bytes.length, read: (from, count) => bytes.subarray(from, from + count) };
  }

  write(name: string, pieces: Iterable<Uint8Array>): Promise<void> {
    const bytes = Buffer.concat([...pieces]);
    this.writing = { name, bytes };
    return this.later(() => {
      this.writing = undefined;
      if (this.isFull) {
        this.change([[name, bytes.subarray(0, this.environment.random.below(bytes.length))]]);
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

  private change(after: FileContents): void {
    this.unflushed.push(after.map(([name]) => [name, this.files.get(name)]));
    this.set(after);
  }

  private set(files: FileContents): void {
    for (const [name, bytes] of files) {
      if (bytes === undefined) this.files.delete(name);
      else this.files.set(name, bytes);
    }
  }

  private later<T>(act: () => T): Promise<T> {
    const { environment, process } = this;
    const delayMs = (environment.random.below(1000) / 1000) * (this.isSlow ? SLOW_MS : USUAL_MS);
    this.pending += 1;
    return new Promise((resolve, reject) => {
      environment.after(delayMs, () => {
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
