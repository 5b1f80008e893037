import type { DirectoryStorage, FileParts } from '../../shared/files/storage.js';

/** The content of a file. Two names may have the same one. */
interface Content {
  readonly bytes: Uint8Array;
}

/**
 * A disk that loses power after so many units of work: each byte written is a unit, and so is each other operation.
 * `afterPowerCut` returns what the disk has then: everything that was flushed, and later operations or not.
 */
export class CrashingDisk implements DirectoryStorage {
  /** The files now, and at the latest flush. */
  private names = new Map<string, Content>();
  private flushed = new Map<string, Content>();
  /** Units of work done. */
  work = 0;

  /** @param power units of work until the power fails */
  constructor(private power = Number.POSITIVE_INFINITY) {}

  async list(): Promise<string[]> {
    return [...this.names.keys()];
  }

  async read(name: string): Promise<Uint8Array> {
    return this.contentOf(name).bytes;
  }

  parts(name: string): FileParts {
    const { bytes } = this.contentOf(name);
    return { size: bytes.length, read: (from, count) => bytes.subarray(from, from + count) };
  }

  async write(name: string, pieces: Iterable<Uint8Array>): Promise<void> {
    this.names.set(name, { bytes: new Uint8Array(0) });
    for (const piece of pieces) {
      const before = this.contentOf(name).bytes;
      const part = piece.subarray(0, Math.max(0, this.power - this.work));
      this.names.set(name, { bytes: Uint8Array.from([...before, ...part]) });
      this.spend(piece.length);
    }
    this.spend(1);
  }

  async rename(from: string, to: string): Promise<void> {
    const content = this.contentOf(from);
    this.spend(1);
    this.names.delete(from);
    this.names.set(to, content);
  }

  async sync(): Promise<void> {
    this.spend(1);
    this.flushed = new Map(this.names);
  }

  async remove(name: string): Promise<void> {
    this.spend(1);
    this.names.delete(name);
  }

  /**
   * The disk after a restart of the machine.
   * @param keeps whether it has what was not flushed too
   */
  afterPowerCut(keeps: boolean): CrashingDisk {
    const disk = new CrashingDisk();
    disk.names = new Map(keeps ? this.names : this.flushed);
    disk.flushed = new Map(disk.names);
    return disk;
  }

  /** Sets the units of work until the power fails, from now on. */
  setPower(units: number): void {
    this.power = this.work + units;
  }

  private contentOf(name: string): Content {
    const content = this.names.get(name);
    if (content === undefined) throw Object.assign(new Error(`no ${name}`), { code: 'ENOENT' });
    return content;
  }

  private spend(units: number): void {
    this.work += units;
    if (this.work > this.power) throw Object.assign(new Error('power failure'), { code: 'EIO' });
  }
}
