/**
 * One folder of a disk, as everything that must outlive a crash needs it. What a machine without power leaves of
 * operations that have not been flushed is anything between nothing and all.
 */
export interface Storage {
  /** Names of the files that are there, in no order. None where the folder itself is missing. */
  list(): Promise<readonly string[]>;
  /** The bytes of a file. */
  read(name: string): Promise<Uint8Array>;
  /** Makes a file, or empties one that is there, writes the pieces one after the other, and flushes them to the disk. */
  write(name: string, pieces: Iterable<Uint8Array>): Promise<void>;
  /** Gives a file another name, in place of the file that has it. */
  rename(from: string, to: string): Promise<void>;
  /** Flushes what was made, renamed and removed. */
  sync(): Promise<void>;
  /** Removes a file; one that is not there is no error. */
  remove(name: string): Promise<void>;
}

/** What files that are not whole yet are called. */
export const ASIDE = '.partial';

/**
 * Writes a file so that its name always stands for a whole one, the old or the new, whenever the process or the power
 * fails: written aside, flushed to the disk, renamed, and the renaming flushed too. Two such calls for the same name
 * must not overlap.
 * @throws what the storage throws; the old file is then still there, and nothing is left aside if that can be helped
 */
export async function replaceFile(
  storage: Storage,
  name: string,
  pieces: Iterable<Uint8Array>,
): Promise<void> {
  const aside = `${name}${ASIDE}`;
  try {
    await storage.write(aside, pieces);
    await storage.rename(aside, name);
    await storage.sync();
  } catch (error) {
    await storage.remove(aside).catch(() => undefined);
    throw error;
  }
}
