import type { Storage } from '../../shared/files/storage.js';

/** What stands on a disk: what was flushed, and what may or may not have come so far. */
interface Content {
  readonly bytes: Uint8Array;
}

/**
 * A disk that loses its power after so many units of work: each byte written is one, and so is each other operation.
 * What it holds then is told by `afterPowerCut`: flushed content surely, renamings since the last flush or not.
 */
export class CrashingDisk implements Storage {
  /** Names as they would be found now, and as they were flushed last. */
  private names = new Map<string, Content>();
  private flushed = new Map<string, Content>();
  /** Units of work done. */
  work = 0;

  /** @param power units of work until it fails */
  constructor(private power = Number.POSITIVE_INFINITY) {}

  async list(): Promise<string[]> {
    return [...this.names.keys()];
  }

  async read(name: string): Promise<Uint8Array> {
    return this.contentOf(name).bytes;
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
   * The disk after the machine was started again.
   * @param keeps whether what was not flushed is there all the same
   */
  afterPowerCut(keeps: boolean): CrashingDisk {
    const disk = new CrashingDisk();
    disk.names = new Map(keeps ? this.names : this.flushed);
    disk.flushed = new Map(disk.names);
    return disk;
  }

  /** From now on it fails after so many units. */
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
    if (this.work > this.power) throw Object.assign(new Error('the power is gone'), { code: 'EIO' });
  }
}
