/*
 * Text files. Invalid bytes are errors and never become U+FFFD, which a model would learn as a character.
 */
import { UserError } from '../../errors.js';
import { readBoundedFile } from '../../files/read-file.js';
import { decodeText } from '../text-encoding.js';

/** Replaces characters that were lost in an earlier conversion. */
const LOST = '\ufffd';
/** Names that `iconv` uses. */
const WIDE = { 'utf-16le': 'UTF-16LE', 'utf-16be': 'UTF-16BE' } as const;

/** A decoded text. */
export interface ReadText {
  readonly text: string;
  /** What was decided, one line each. */
  readonly notes: readonly string[];
}

/**
 * Reads a file in UTF-8, or in the encoding of its byte order mark.
 * @throws UserError that names the file, the line of invalid bytes and the remedy
 */
export async function readTextFile(path: string, bytesMax: number): Promise<ReadText> {
  return textOf(await readBoundedFile(path, bytesMax), path);
}

/** Decodes the content of a text file. @param path names the file in errors */
export function textOf(bytes: Uint8Array, path: string): ReadText {
  const { utf8, encoding, invalid, likely } = decodeText(bytes);
  const convert = (from: string) => `convert it: iconv -f ${from} -t UTF-8 ${path} > utf8.txt`;
  if (likely === 'binary')
    throw new UserError(`${path} contains zero bytes, so it is not a text; check that it is the right file`);
  if (likely !== undefined)
    throw new UserError(
      `${path} looks like ${WIDE[likely]} without a byte order mark; ${convert(WIDE[likely])}`,
    );
  if (invalid !== undefined)
    throw new UserError(
      `${path}, line ${invalid.line}: ${invalid.what}` +
        `${invalid.lines > 1 ? ` (and ${invalid.lines - 1} more lines)` : ''}; ` +
        (/^utf/.test(encoding)
          ? 'download it again'
          : `${convert('WINDOWS-1252')}, or from the encoding that it has`),
    );
  const text = utf8.toString('utf8');
  const notes = encoding === 'utf-8' ? [] : [`${path}: decoded as ${encoding} by its byte order mark`];
  const lost = text.split(LOST).length - 1;
  if (lost > 0)
    notes.push(`${path} contains U+FFFD ${lost} times: an earlier conversion has lost characters`);
  return { text, notes };
}
