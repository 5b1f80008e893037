import { open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from './file-error.js';
import { makeDirectories } from './make-directory.js';
import { readBoundedFile } from './read-file.js';
import type { Storage } from './storage.js';

/** Largest file that is read: what Node reads in one piece. */
const FILE_BYTES_MAX = 2 ** 31 - 1;

/** A folder of this machine. Errors are the operating system's. */
export class Folder implements Storage {
  /**
   * @param path made, with its parents, when the first file is written
   * @param mode rights of the files that are made, less what the process masks
   */
  constructor(
    readonly path: string,
    private readonly mode = 0o666,
  ) {}

  async list(): Promise<readonly string[]> {
    try {
      const entries = await readdir(this.path, { withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return [];
      throw error;
    }
  }

  read(name: string): Promise<Uint8Array> {
    return readBoundedFile(join(this.path, name), FILE_BYTES_MAX);
  }

  async write(name: string, pieces: Iterable<Uint8Array>): Promise<void> {
    const file = await this.create(join(this.path, name));
    try {
      for (const piece of pieces) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
  }

  async rename(from: string, to: string): Promise<void> {
    await rename(join(this.path, from), join(this.path, to));
  }

  async sync(): Promise<void> {
    // Windows cannot open a directory, and writes renamings through by itself.
    if (process.platform === 'win32') return;
    const directory = await open(this.path, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.path, name), { force: true });
  }

  private async create(path: string): ReturnType<typeof open> {
    try {
      return await open(path, 'w', this.mode);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      await makeDirectories(this.path);
      return await open(path, 'w', this.mode);
    }
  }
}
