/*
 * The orientation in the text chunks of a PNG (W3C, third edition, 11.3.3). Before PNG had a chunk for Exif, ImageMagick stored it
 * as a text of hexadecimal digits; Adobe's programs write an XMP packet.
 */
import { inflateSync } from 'node:zlib';
import { readOrientation, readXmpOrientation } from './exif-orientation.js';
import type { Orientation } from './image.js';

/** The chunks of texts. */
export const TEXT_CHUNKS: ReadonlySet<string> = new Set(['tEXt', 'zTXt', 'iTXt']);

const EXIF = ['Raw profile type exif', 'Raw profile type APP1'];
const XMP = 'XML:com.adobe.xmp';
/** Most bytes of a text that is decompressed. Exif has at most 64 KiB, each byte as two digits. */
const TEXT_BYTES_MAX = 2 ** 20;

/**
 * @param chunks name and data of each text chunk
 * @returns undefined when no text has an orientation
 */
export function orientationInTexts(chunks: readonly Uint8Array[]): Orientation | undefined {
  const texts = new Map(chunks.flatMap((chunk) => [textOf(Buffer.from(chunk))]));
  for (const keyword of EXIF) {
    // A line break, the kind of profile, its length, and the digits.
    const digits = /^\n\w+\n *\d+\n([\s\da-f]*)$/i.exec(texts.get(keyword) ?? '')?.[1];
    const orientation =
      digits === undefined ? undefined : readOrientation(Buffer.from(digits.replace(/\s/g, ''), 'hex'));
    if (orientation !== undefined) return orientation;
  }
  return readXmpOrientation(texts.get(XMP) ?? '');
}

/** Keyword and text of a chunk; the text is empty when it cannot be decompressed. */
function textOf(chunk: Buffer): [keyword: string, text: string] {
  const name = chunk.toString('latin1', 0, 4);
  const end = chunk.indexOf(0, 4);
  const keyword = chunk.toString('latin1', 4, Math.max(end, 4));
  if (end < 0 || !(EXIF.includes(keyword) || keyword === XMP)) return [keyword, ''];
  if (name === 'tEXt') return [keyword, chunk.toString('latin1', end + 1)];
  if (name === 'zTXt') return [keyword, inflated(chunk.subarray(end + 2))];
  // The flag of compression, its method, a language, and the keyword in that language.
  const isCompressed = chunk[end + 1] === 1;
  const text = chunk.indexOf(0, chunk.indexOf(0, end + 3) + 1) + 1;
  return [keyword, isCompressed ? inflated(chunk.subarray(text)) : chunk.toString('utf8', text)];
}

function inflated(bytes: Buffer): string {
  try {
    return inflateSync(bytes, { maxOutputLength: TEXT_BYTES_MAX }).toString('utf8');
  } catch {
    return '';
  }
}
