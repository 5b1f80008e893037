/*
 * A classification data set in four IDX files with the names of MNIST's files. Fashion-MNIST, KMNIST and others use the same names.
 */
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { UserError } from '../../errors.js';
import { exists, readBoundedFile } from '../../files/read-file.js';
import { sha256Hex } from '../../files/sha256.js';

/** The files, in reading order. */
export const IDX_FILES = [
  'train-images-idx3-ubyte',
  'train-labels-idx1-ubyte',
  't10k-images-idx3-ubyte',
  't10k-labels-idx1-ubyte',
] as const;
export type IdxFileName = (typeof IDX_FILES)[number];

/** The optional file of checksums, in the format of `sha256sum`. */
export const SUMS_FILE = 'SHA256SUMS';

const FILE_BYTES_MAX = 2 ** 30;
const SUMS_BYTES_MAX = 2 ** 16;

/** An unpacked file. */
export interface StoredFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** SHA-256 of the unpacked bytes. */
  readonly sha256: string;
}
export type IdxFolder = Readonly<Record<IdxFileName, StoredFile>>;

/**
 * Reads the four files, each plain or gzipped (NAME.gz). If the folder has a SHA256SUMS, they must match it.
 * @param fix what to do when a file is missing
 * @throws UserError when a file is missing, unreadable, too large, or not what SHA256SUMS says
 */
export async function readIdxFolder(directory: string, fix: string): Promise<IdxFolder> {
  const sums = await readSums(directory);
  const folder: Partial<Record<IdxFileName, StoredFile>> = {};
  // In order, so that the same error is always reported first.
  for (const name of IDX_FILES) folder[name] = await readOne(directory, name, sums, fix);
  return folder as IdxFolder;
}

/**
 * Reads the test files of a folder, or its training files if it has no test files.
 * @returns undefined when the folder has neither
 * @throws UserError when a file is missing, unreadable, too large, or not what SHA256SUMS says
 */
export async function readIdxPair(
  directory: string,
): Promise<{ readonly images: StoredFile; readonly labels: StoredFile } | undefined> {
  const [trainImages, trainLabels, testImages, testLabels] = IDX_FILES;
  for (const [images, labels] of [
    [testImages, testLabels],
    [trainImages, trainLabels],
  ] as const) {
    const path = join(directory, images);
    if (!(await exists(path)) && !(await exists(`${path}.gz`))) continue;
    const sums = await readSums(directory);
    const fix = 'images and labels belong together';
    return {
      images: await readOne(directory, images, sums, fix),
      labels: await readOne(directory, labels, sums, fix),
    };
  }
  return undefined;
}

async function readOne(
  directory: string,
  name: IdxFileName,
  sums: Sums | undefined,
  fix: string,
): Promise<StoredFile> {
  const plain = await exists(join(directory, name));
  const stored = plain ? name : `${name}.gz`;
  const path = join(directory, stored);
  if (!plain && !(await exists(path))) throw new UserError(`${directory} has no ${name}; ${fix}`);
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
      `${path} is not a valid gzip file of at most ${FILE_BYTES_MAX} bytes; download it again`,
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
    expected === undefined ? `is not listed in ${SUMS_FILE}` : `does not match its checksum in ${SUMS_FILE}`;
  throw new UserError(
    `${path} ${fault}; download the file again, or update the checksums: sha256sum *ubyte* > ${SUMS_FILE}`,
  );
}
