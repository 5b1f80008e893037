/**
 * One folder of a disk, with the operations that durable files need. After a power failure, operations that were not
 * flushed may have happened fully, in part, or not at all.
 */
export interface DirectoryStorage {
  /** Names of the files in the folder, in any order; none if the folder does not exist. */
  list(): Promise<readonly string[]>;
  /** The bytes of a file. @param bytesMax most bytes that are read of it; left out: the storage's own bound */
  read(name: string, bytesMax?: number): Promise<Uint8Array>;
  /** A file that is read in parts. @throws the storage's error when there is none */
  parts(name: string): FileParts;
  /** Creates or truncates a file, writes the pieces one after another, and flushes them to the disk. */
  write(name: string, pieces: Iterable<Uint8Array>): Promise<void>;
  /** Renames a file, and replaces the file with the new name if there is one. */
  rename(from: string, to: string): Promise<void>;
  /** Flushes the creation, renaming and removal of files. */
  sync(): Promise<void>;
  /** Removes a file. It is not an error if the file does not exist. */
  remove(name: string): Promise<void>;
}

/** A file of which parts are read when they are needed. Somebody may change it in the meantime. */
export interface FileParts {
  /** Bytes of the file when it was found. */
  readonly size: number;
  /** The bytes from a position on, fewer where the file ends before. Blocks this thread while they are read. */
  read(from: number, bytes: number): Uint8Array;
}

/** Suffix of the names of files that are not complete yet. */
export const TEMPORARY_SUFFIX = '.partial';

/**
 * Writes a file so that its name always refers to a complete file, the old or the new one, whenever the process or the
 * power fails: writes a temporary file, flushes it, renames it, and flushes the renaming. Two calls for the same name must
 * not overlap.
 * @throws the storage's error. The old file is then unchanged, and the temporary file is removed if possible
 */
export async function replaceFile(
  storage: DirectoryStorage,
  name: string,
  pieces: Iterable<Uint8Array>,
): Promise<void> {
  const temporary = `${name}${TEMPORARY_SUFFIX}`;
  try {
    await storage.write(temporary, pieces);
    await storage.rename(temporary, name);
    await storage.sync();
  } catch (error) {
    await storage.remove(temporary).catch(() => undefined);
    throw error;
  }
}
