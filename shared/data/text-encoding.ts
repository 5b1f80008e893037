/*
 * Decodes text files: by their byte order mark, by an option, or as UTF-8. Undecodable bytes are reported, never replaced
 * silently: two labels could become equal.
 */
import { isUtf8 } from 'node:buffer';
import iconv from 'iconv-lite';
import { UserError } from '../errors.js';
import { didYouMean } from '../nearest.js';

/** A decoded text file. */
export interface DecodedText {
  /** The text without byte order mark. Undecodable bytes are U+FFFD, and `invalid` locates them. */
  readonly utf8: Buffer;
  /** The encoding that was used, such as "utf-8". */
  readonly encoding: string;
  /** Undecodable bytes: the first line, the number of lines, and a description of the first. */
  readonly invalid?: { readonly line: number; readonly lines: number; readonly what: string };
  /** What zero bytes indicate: another encoding, which was used, or binary data. */
  readonly likely?: 'utf-16le' | 'utf-16be' | 'binary';
  readonly notes: readonly string[];
}

/** Names to suggest; iconv-lite knows more. */
const COMMON = [
  ...[
    'utf-8',
    'utf-16le',
    'utf-16be',
    'utf-32le',
    'utf-32be',
    'windows-1250',
    'windows-1251',
    'windows-1252',
  ],
  ...[
    'windows-1253',
    'windows-1254',
    'iso-8859-1',
    'iso-8859-2',
    'iso-8859-15',
    'latin1',
    'macintosh',
    'cp437',
  ],
  ...['cp850', 'koi8-r', 'shift_jis', 'euc-jp', 'euc-kr', 'gb18030', 'gbk', 'big5', 'ascii'],
];
/** Byte order marks, longer ones first: UTF-32LE starts like UTF-16LE. */
const MARKS: readonly (readonly [encoding: string, ...mark: number[]])[] = [
  ['utf-32le', 0xff, 0xfe, 0, 0],
  ['utf-32be', 0, 0, 0xfe, 0xff],
  ['utf-8', 0xef, 0xbb, 0xbf],
  ['utf-16le', 0xff, 0xfe],
  ['utf-16be', 0xfe, 0xff],
];
/** Encodings in which zero bytes are normal. */
const WIDE = /^utf-?(16|32)|^ucs/i;
/** Bytes that are examined for UTF-16. */
const SAMPLE_BYTES = 4096;
/** Bytes that are decoded at a time. */
const PIECE_BYTES = 2 ** 20;
const LF = 0x0a;
const CR = 0x0d;

/**
 * @param encoding from an option; undefined: UTF-8. A byte order mark takes precedence.
 * @throws UserError (wrong usage) for an unknown encoding
 */
export function decodeText(bytes: Uint8Array, encoding?: string): DecodedText {
  if (encoding !== undefined) checkEncoding(encoding);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [marked, ...mark] = MARKS.find(([, ...begin]) => begin.every((byte, i) => buffer[i] === byte)) ?? [];
  const body = buffer.subarray(mark.length);
  const used = marked ?? encoding ?? 'utf-8';
  const notes =
    marked !== undefined && encoding !== undefined && !isSame(marked, encoding)
      ? [`the byte order mark says ${marked}, which takes precedence over encoding: '${encoding}'`]
      : [];
  if (isSame(used, 'utf-8')) return { ...fromUtf8(body), notes };
  return { ...fromOther(body, used), notes };
}

function checkEncoding(encoding: string): void {
  if (iconv.encodingExists(encoding)) return;
  const name = String(encoding).slice(0, 40);
  throw new UserError(
    `there is no encoding ${JSON.stringify(name)}; ${didYouMean(name, COMMON, 'usual ones')}`,
    2,
  );
}

function isSame(one: string, other: string): boolean {
  const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');
  return plain(one) === plain(other);
}

function fromUtf8(body: Buffer): Omit<DecodedText, 'notes'> {
  const likely = likelyEncoding(body);
  if (likely === 'binary') return { utf8: body, encoding: 'utf-8', likely };
  if (likely !== undefined) return { ...fromOther(body, likely), likely };
  if (isUtf8(body)) return { utf8: body, encoding: 'utf-8' };
  let first: DecodedText['invalid'];
  let lines = 0;
  for (const { line, from, to } of linesOf(body)) {
    if (isUtf8(body.subarray(from, to))) continue;
    lines += 1;
    first ??= { line, lines: 0, what: firstInvalid(body.subarray(from, to)) };
  }
  // The most frequent other encoding, so that the rest of the file can be checked as well.
  const { utf8, encoding } = fromOther(body, 'windows-1252');
  return { utf8, encoding, ...(first && { invalid: { ...first, lines } }) };
}

function fromOther(body: Buffer, encoding: string): Omit<DecodedText, 'notes'> {
  const decoder = iconv.getDecoder(encoding);
  const pieces: Buffer[] = [];
  let line = 1;
  let endsInReturn = false;
  let lines = 0;
  let first: number | undefined;
  let lastLine = 0;
  const take = (piece: string): void => {
    // CR LF across two pieces is one line end.
    const text = endsInReturn && piece.startsWith('\n') ? piece.slice(1) : piece;
    if (/\ufffd/.test(piece) || !piece.isWellFormed()) {
      let at = line;
      for (const one of text.split(/\r\n|\n|\r/)) {
        if ((one.includes('\ufffd') || !one.isWellFormed()) && at !== lastLine) {
          lines += 1;
          first ??= at;
          lastLine = at;
        }
        at += 1;
      }
    }
    line += text.match(/\r\n|\n|\r/g)?.length ?? 0;
    if (piece !== '') endsInReturn = piece.endsWith('\r');
    pieces.push(Buffer.from(piece, 'utf8'));
  };
  for (let from = 0; from < body.length; from += PIECE_BYTES)
    take(decoder.write(body.subarray(from, from + PIECE_BYTES)));
  take(decoder.end() ?? '');
  // iconv-lite drops half a character at the end of UTF-16.
  const isHalf = body.length % 2 === 1 && /^(utf-?16|ucs-?2)/i.test(encoding);
  if (isHalf && line !== lastLine) lines += 1;
  const isWide = WIDE.test(encoding);
  const likely = isWide ? undefined : likelyEncoding(body);
  // A line end, a comma or a digit has a zero byte in these encodings.
  if (isWide && body.length > 2 && !body.includes(0) && isUtf8(body))
    return {
      utf8: body,
      encoding: 'utf-8',
      invalid: { line: 1, lines: 1, what: `is not ${encoding}: its bytes are UTF-8` },
    };
  return {
    utf8: Buffer.concat(pieces),
    encoding,
    ...(likely !== undefined && { likely }),
    ...(lines > 0 && {
      invalid: {
        line: first ?? line,
        lines,
        what:
          first === undefined
            ? `ends within a character, of whose two bytes one is there (${encoding})`
            : `contains bytes that are not ${encoding}`,
      },
    }),
  };
}

/** Zero bytes indicate UTF-16 without a byte order mark when they alternate, and binary data otherwise. */
function likelyEncoding(body: Buffer): DecodedText['likely'] {
  const sample = body.subarray(0, SAMPLE_BYTES);
  let even = 0;
  let odd = 0;
  for (const [i, byte] of sample.entries())
    if (byte === 0)
      if (i % 2 === 0) even += 1;
      else odd += 1;
  const half = sample.length / 2;
  if (odd > half * 0.4 && even < half * 0.1) return 'utf-16le';
  if (even > half * 0.4 && odd < half * 0.1) return 'utf-16be';
  return body.includes(0) ? 'binary' : undefined;
}

/** Lines with number and byte range, including the line end. */
function* linesOf(body: Buffer): Generator<{ line: number; from: number; to: number }> {
  let line = 1;
  let from = 0;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at];
    if (byte !== LF && !(byte === CR && body[at + 1] !== LF)) continue;
    yield { line, from, to: at + 1 };
    line += 1;
    from = at + 1;
  }
  if (from < body.length) yield { line, from, to: body.length };
}

/** Describes the first byte of a line that is not UTF-8. */
function firstInvalid(bytes: Buffer): string {
  let valid = 0;
  for (let size = 1; valid + size <= bytes.length && size <= 4; )
    if (isUtf8(bytes.subarray(valid, valid + size))) {
      valid += size;
      size = 1;
    } else size += 1;
  const hex = (bytes[valid] ?? 0).toString(16).toUpperCase().padStart(2, '0');
  return `byte 0x${hex} after ${valid} bytes of the line is not UTF-8`;
}
