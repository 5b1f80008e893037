/*
 * A classification data set as four IDX files in a folder, named as MNIST names them (Fashion-MNIST, KMNIST and others
 * took the names over).
 */
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { UserError } from '../../errors.js';
import { exists, readBoundedFile } from '../../files/read-file.js';
import { sha256Hex } from '../../files/sha256.js';

/** The files, in the order in which they are always named. */
export const IDX_FILES = [
  'train-images-idx3-ubyte',
  'train-labels-idx1-ubyte',
  't10k-images-idx3-ubyte',
  't10k-labels-idx1-ubyte',
] as const;
export type IdxFileName = (typeof IDX_FILES)[number];

/** Name of the optional file of checksums, as `sha256sum` writes and checks it. */
export const SUMS_FILE = 'SHA256SUMS';

const FILE_BYTES_MAX = 2 ** 30;
const SUMS_BYTES_MAX = 2 ** 16;

/** One of the files, unpacked. */
export interface StoredFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** SHA-256 of the unpacked bytes. */
  readonly sha256: string;
}
export type IdxFolder = Readonly<Record<IdxFileName, StoredFile>>;

/**
 * Reads the four files, each plain or gzipped (NAME.gz). Where the folder has a SHA256SUMS, they must match it.
 * @param mend what to do when a file is missing
 * @throws UserError when a file is missing, unreadable, too large, or not what SHA256SUMS says
 */
export async function readIdxFolder(directory: string, mend: string): Promise<IdxFolder> {
  const sums = await readSums(directory);
  const folder: Partial<Record<IdxFileName, StoredFile>> = {};
  // One after the other, so that of several faults the same one is always told.
  for (const name of IDX_FILES) folder[name] = await readOne(directory, name, sums, mend);
  return folder as IdxFolder;
}

async function readOne(
  directory: string,
  name: IdxFileName,
  sums: Sums | undefined,
  mend: string,
): Promise<StoredFile> {
  const plain = await exists(join(directory, name));
  const stored = plain ? name : `${name}.gz`;
  const path = join(directory, stored);
  if (!plain && !(await exists(path))) throw new UserError(`${directory} has no ${name}; ${mend}`);
  const packed = await readBoundedFile(path, FILE_BYTES_MAX);
  if (sums !== undefined) checkSum(path, stored, packed, sums);
  const bytes = plain ? packed : unpack(packed, path);
  return { path, bytes, sha256: sha256Hex(bytes) };
}

function unpack(packed: Uint8Array, path: string): Uint8Array {
  try {
    return gunzipSync(packed, { maxOutputLength: FILE_BYTES_MAX });
  } catch {
    throw new UserError(
      `${path} is not a whole gzip file of at most ${FILE_BYTES_MAX} bytes; fetch it again`,
    );
  }
}

type Sums = ReadonlyMap<string, string>;

async function readSums(directory: string): Promise<Sums | undefined> {
  const path = join(directory, SUMS_FILE);
  if (!(await exists(path))) return undefined;
  const text = new TextDecoder().decode(await readBoundedFile(path, SUMS_BYTES_MAX));
  const sums = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const match = /^([0-9a-fA-F]{64}) [ *](.+)$/.exec(line);
    if (match !== null)
      sums.set((match[2] as string).replace(/^\.\//, ''), (match[1] as string).toLowerCase());
  }
  return sums;
}

function checkSum(path: string, stored: string, packed: Uint8Array, sums: Sums): void {
  const expected = sums.get(stored);
  if (expected === sha256Hex(packed)) return;
  const fault =
    expected === undefined ? `is not listed in ${SUMS_FILE}` : `is altered: ${SUMS_FILE} has another sum`;
  throw new UserError(
    `${path} ${fault}; fetch the file again, or write the sums anew: sha256sum *ubyte* > ${SUMS_FILE}`,
  );
}
