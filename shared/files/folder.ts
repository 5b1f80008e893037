import { fsync } from 'node:fs';
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { errorCode } from './file-error.js';
import { makeDirectories } from './make-directory.js';
import { filePartsOf, readBoundedFile } from './read-file.js';
import type { DirectoryStorage, FileParts } from './storage.js';

/** Largest file that is read: the most that Node reads at once. */
const FILE_BYTES_MAX = 2 ** 31 - 1;

/** A folder of this machine. Errors are those of the operating system. */
export class Folder implements DirectoryStorage {
  /**
   * @param path created, with its parents, when the first file is written
   * @param mode permissions of new files, before the process's umask
   * @param bytesMax largest file that is read
   */
  constructor(
    readonly path: string,
    private readonly mode = 0o666,
    private readonly bytesMax = FILE_BYTES_MAX,
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

  read(name: string, bytesMax = this.bytesMax): Promise<Uint8Array> {
    return readBoundedFile(join(this.path, name), bytesMax, { links: 'refuse' });
  }

  parts(name: string): FileParts {
    return filePartsOf(join(this.path, name), this.bytesMax);
  }

  async write(name: string, pieces: Iterable<Uint8Array>): Promise<void> {
    const file = await this.create(join(this.path, name));
    try {
      for (const piece of pieces) await file.writeFile(piece);
      await flush(file);
    } finally {
      await file.close();
    }
  }

  async rename(from: string, to: string): Promise<void> {
    await rename(join(this.path, from), join(this.path, to));
  }

  async sync(): Promise<void> {
    // Windows cannot open a directory, and it writes renames to the disk at once.
    if (process.platform === 'win32') return;
    const directory = await open(this.path, 'r');
    try {
      await flush(directory);
    } finally {
      await directory.close();
    }
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.path, name), { force: true });
  }

  private async create(path: string): Promise<FileHandle> {
    try {
      return await open(path, 'w', this.mode);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      await makeDirectories(this.path);
      return await open(path, 'w', this.mode);
    }
  }
}

/** `file.sync()` of any module loader: where Yarn resolves packages without node_modules, it replaces files by ones that lack it. */
const flush = (file: FileHandle) => flushDescriptor(file.fd);
const flushDescriptor = promisify(fsync);
