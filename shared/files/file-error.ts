import { UserError } from '../errors.js';

/** Reason and fix for errors of the operating system. Other errors are reported with the system's code. */
const KNOWN: Readonly<Record<string, string>> = {
  EACCES: 'permission denied; change the permissions or choose another place',
  EDQUOT: 'the disk quota is used up; free some space or choose another place',
  EEXIST: 'a file of that name is in the way; choose another path',
  EFBIG: 'a file may not grow that large here; raise the limit (ulimit -f) or choose another place',
  EISDIR: 'it is a directory; name a file',
  ELOOP: 'its symbolic links form a circle; fix them',
  EMFILE: 'too many files are open; raise the limit (ulimit -n)',
  ENAMETOOLONG: 'the name is too long; choose a shorter one',
  ENOENT: 'no such file or directory; check the path',
  ENOSPC: 'the disk is full; free some space or choose another place',
  ENOTDIR: 'part of the path is a file, not a directory; choose another path',
  EPERM: 'the operation is not permitted; change the permissions or choose another place',
  ENXIO: 'it is a device, a pipe or a socket; name a regular file',
  EROFS: 'the file system is read-only; choose another place',
};

/** The system's code of an error, such as "ENOENT"; undefined if it has none. */
export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/**
 * Explains to the user why a file cannot be used.
 * @param what what failed, with the path: "cannot write runs/a/config.json"
 * @returns a UserError, or `error` itself if it is not an error of the operating system
 */
export function explainFileError(error: unknown, what: string): unknown {
  const code = errorCode(error);
  if (error instanceof UserError || code === undefined) return error;
  return new UserError(`${what}: ${KNOWN[code] ?? `${code}; check the disk and the path`}`);
}
