/*
 * Reads and decompresses table files, and recognises their kind by content, not by name.
 */
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { UserError } from '../../errors.js';
import { errorCode } from '../../files/file-error.js';
import { readPieces } from '../../files/read-file.js';

/** Most bytes of a file, before and after decompression. The whole file is in memory. */
const FILE_BYTES_MAX = 2 ** 30;

/** First and last bytes of an Arrow file. */
export const ARROW_MAGIC = 'ARROW1';
/** Begins a message of Arrow. */
export const ARROW_CONTINUATION = -1;

/** First bytes of other kinds of files, with the remedy. */
const OTHERS: readonly (readonly [begin: string, what: string])[] = [
  ['PK\u0003\u0004', 'a ZIP archive, such as an Excel workbook (.xlsx); save it as CSV (UTF-8) or unpack it'],
  ['\u00d0\u00cf\u0011\u00e0', 'an old Excel workbook (.xls); save it as CSV (UTF-8)'],
  ['SQLite format 3', 'an SQLite database; export the table as CSV'],
  ['\u0089HDF', 'an HDF5 file; export the table as CSV or Parquet'],
  ['\u0093NUMPY', 'an array of NumPy; read it with numpy()'],
  ['FEA1', 'a Feather file of version 1; write it again, as version 2, or as Parquet'],
  ['ORC', 'an ORC file; write it as Parquet'],
  ['%PDF', 'a PDF document; export the table as CSV'],
  // Of what gzip has been undone for.
  ['\u001f\u008b', 'compressed with gzip twice; decompress it once'],
  ['BZh', 'compressed with bzip2; decompress it'],
  ['\u00fd7zXZ', 'compressed with xz; decompress it'],
  ['(\u00b5/\u00fd', 'compressed with zstd; decompress it'],
];

/**
 * Reads a file, and decompresses it if it is compressed with gzip.
 * @throws UserError that names the file and the remedy
 */
export async function readTableBytes(path: string): Promise<Buffer> {
  const bytes = await collect(path, readPieces(path, FILE_BYTES_MAX));
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (!isGzip) return bytes;
  const gunzip = createGunzip();
  // The last stream reports all errors.
  pipeline(Readable.from([bytes], { objectMode: false }), gunzip, () => {});
  return await collect(path, gunzip);
}

async function collect(path: string, stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const piece of stream) {
      size += piece.length;
      if (size > FILE_BYTES_MAX)
        throw new UserError(
          `${path} holds more than ${FILE_BYTES_MAX} bytes, too much for memory; remove rows or columns`,
        );
      pieces.push(piece);
    }
  } catch (error) {
    if (/^Z_/.test(errorCode(error) ?? ''))
      throw new UserError(
        `${path} is damaged or truncated (gzip: ${(error as Error).message}); create or download it again`,
      );
    throw error;
  }
  return Buffer.concat(pieces);
}

/** Whether a file is Parquet. */
export function isParquet(bytes: Buffer): boolean {
  return bytes.length >= 4 && /^PAR[1E]$/.test(bytes.toString('latin1', 0, 4));
}

/** Whether a file is Arrow: in the file format, which Feather has been since its version 2, or a stream. */
export function isArrow(bytes: Buffer): boolean {
  if (isArrowFile(bytes)) return true;
  // A stream begins with a marker and the length of the first message.
  return (
    bytes.length >= 8 &&
    bytes.readInt32LE(0) === ARROW_CONTINUATION &&
    bytes.readInt32LE(4) > 0 &&
    bytes.readInt32LE(4) % 8 === 0
  );
}

/** Whether a file is in the file format of Arrow. */
export function isArrowFile(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, ARROW_MAGIC.length) === ARROW_MAGIC;
}

/**
 * Refuses files that are neither text nor Parquet nor Arrow.
 * @throws UserError that names the kind of file and the remedy
 */
export function refuseOtherFiles(path: string, bytes: Buffer): void {
  const begin = bytes.toString('latin1', 0, 16);
  const other = OTHERS.find(([signature]) => begin.startsWith(signature));
  if (other !== undefined) throw new UserError(`${path} is ${other[1]}`);
  const text = bytes
    .toString('latin1', 0, 512)
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart();
  if (/^[[{]\s*["[{]/.test(text))
    throw new UserError(`${path} is JSON; write it as CSV, with the names of the columns in the first line`);
  if (/^@relation\s/i.test(text))
    throw new UserError(
      `${path} is an ARFF file; write it as CSV, with the names of the columns in the first line`,
    );
  if (/^<\?xml\b/i.test(text)) throw new UserError(`${path} is XML; export the table as CSV`);
  if (/^<(!doctype html|html)\b/i.test(text))
    throw new UserError(`${path} is a web page; save the table itself, not the page that shows it`);
}
