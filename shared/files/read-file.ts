import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { access, type FileHandle, open } from 'node:fs/promises';
import { UserError } from '../errors.js';
import { errorCode, explainFileError } from './file-error.js';
import type { FileParts } from './storage.js';

/** How a file that another person may have written is opened. */
export interface ReadOptions {
  /** Whether a symbolic link at the end of the path is followed (the default) or refused. */
  readonly links?: 'follow' | 'refuse';
}

/** Most bytes of one read: it ends soon enough to be interrupted. */
const PIECE_BYTES = 16 * 2 ** 20;

/**
 * Opens a regular file, calls `use` with it, and closes it.
 * @throws UserError that names the file and the fix
 */
export async function withRegularFile<T>(
  path: string,
  options: ReadOptions,
  use: (file: FileHandle, size: number) => Promise<T>,
): Promise<T> {
  const { file, size } = await openRegularFile(path, options);
  try {
    return await use(file, size);
  } catch (error) {
    throw explainFileError(error, `cannot read ${path}`);
  } finally {
    await file.close();
  }
}

/**
 * Opens a regular file. A device, a pipe or a socket is refused before any byte is read: they have no end, and a pipe
 * without a writer would block.
 */
async function openRegularFile(
  path: string,
  { links = 'follow' }: ReadOptions,
): Promise<{ file: FileHandle; size: number }> {
  let file: FileHandle;
  try {
    file = await open(path, flagsFor(links));
  } catch (error) {
    throw notOpened(path, links, error);
  }
  const stats = await file.stat();
  if (stats.isFile()) return { file, size: stats.size };
  await file.close();
  throw notRegular(path, stats);
}

/**
 * A regular file of which parts are read when they are needed; a symbolic link is refused. It is not open in between, so that
 * nobody has to close it.
 * @throws UserError that names the file and the fix, also when a part is read
 */
export function filePartsOf(path: string, bytesMax: number): FileParts {
  const withFile = <T>(use: (file: number, size: number) => T): T => {
    let file: number;
    try {
      file = openSync(path, flagsFor('refuse'));
    } catch (error) {
      throw notOpened(path, 'refuse', error);
    }
    try {
      const stats = fstatSync(file);
      if (!stats.isFile()) throw notRegular(path, stats);
      return use(file, stats.size);
    } catch (error) {
      throw explainFileError(error, `cannot read ${path}`);
    } finally {
      closeSync(file);
    }
  };
  const size = withFile((_, size) => size);
  if (size > bytesMax) throw tooLarge(path, `${size} bytes`, bytesMax);
  return {
    size,
    read: (from, bytes) =>
      withFile((file) => {
        const into = Buffer.allocUnsafeSlow(bytes);
        for (let length = 0; length < bytes; ) {
          const count = readSync(file, into, length, bytes - length, from + length);
          if (count === 0) return into.subarray(0, length);
          length += count;
        }
        return into;
      }),
  };
}

function flagsFor(links: ReadOptions['links']): number {
  // Windows has neither flag. Without O_NONBLOCK, opening a pipe waits for its writer.
  const { O_RDONLY, O_NONBLOCK = 0, O_NOFOLLOW = 0 } = constants;
  return O_RDONLY | O_NONBLOCK | (links === 'refuse' ? O_NOFOLLOW : 0);
}

function notOpened(path: string, links: ReadOptions['links'], error: unknown): unknown {
  if (links === 'refuse' && errorCode(error) === 'ELOOP')
    return new UserError(`cannot read ${path}: it is a symbolic link; put the file itself in its place`);
  return explainFileError(error, `cannot read ${path}`);
}

function notRegular(path: string, stats: Stats): UserError {
  const what = stats.isDirectory()
    ? 'a directory; name a file'
    : 'a device, a pipe or a socket; name a regular file';
  return new UserError(`cannot read ${path}: it is ${what}`);
}

/**
 * Reads a whole file that is not larger than a bound. The bound also holds for a file that grows while it is read.
 * @throws UserError that names the file and the fix
 */
export async function readBoundedFile(
  path: string,
  bytesMax: number,
  options: ReadOptions = {},
): Promise<Uint8Array> {
  return withRegularFile(path, options, async (file, size) => {
    if (size > bytesMax) throw tooLarge(path, `${size} bytes`, bytesMax);
    // One byte more than expected, so that a further read finds the end of the file.
    let buffer = Buffer.allocUnsafe(Math.max(size + 1, 4096));
    for (let length = 0; ; ) {
      const { bytesRead } = await file.read(buffer, length, Math.min(buffer.length - length, PIECE_BYTES));
      if (bytesRead === 0) return buffer.subarray(0, length);
      length += bytesRead;
      if (length > bytesMax) throw tooLarge(path, 'more bytes than its size', bytesMax);
      if (length === buffer.length) buffer = Buffer.concat([buffer], Math.min(2 * length, bytesMax) + 1);
    }
  });
}

/**
 * Reads a file piece by piece, with a bound on all pieces together.
 * @throws UserError that names the file and the fix
 */
export async function* readPieces(
  path: string,
  bytesMax: number,
  options: ReadOptions = {},
): AsyncGenerator<Uint8Array> {
  const { file } = await openRegularFile(path, options);
  try {
    for (let length = 0; ; ) {
      // A new buffer each time, since the caller may keep a piece.
      const buffer = Buffer.allocUnsafe(2 ** 20);
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) return;
      length += bytesRead;
      if (length > bytesMax) throw tooLarge(path, 'more bytes', bytesMax);
      yield buffer.subarray(0, bytesRead);
    }
  } catch (error) {
    throw explainFileError(error, `cannot read ${path}`);
  } finally {
    await file.close();
  }
}

/** Fills `into` with the file's bytes from `position` on. @returns false when the file ends before */
export async function readInto(file: FileHandle, into: Uint8Array, position: number): Promise<boolean> {
  for (let length = 0; length < into.length; ) {
    const bytes = Math.min(into.length - length, PIECE_BYTES);
    const { bytesRead } = await file.read(into, length, bytes, position + length);
    if (bytesRead === 0) return false;
    length += bytesRead;
  }
  return true;
}

function tooLarge(path: string, size: string, bytesMax: number): UserError {
  return new UserError(
    `${path} has ${size}, more than the ${bytesMax} allowed; check that it is the right file`,
  );
}

/** Whether a file or a directory of this name exists. */
export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
