/*
 * The lines of metrics.jsonl as a hash chain. Each line is a JSON object whose last member, `chain`, is the SHA-256 in
 * hexadecimal of the `chain` of the line before (64 zeros for the first) followed by the line's own text without that
 * member. So the hash of the last line stands for all of them, in their order.
 *
 * The chain carries no secret: anybody who has the file can alter it and compute all hashes anew. What it gives is one hash
 * for a whole record, and certainty about where a file was cut off or damaged. Whether a record is true is proven by
 * computing it again (trainer/replay).
 */
import { hash } from 'node:crypto';
import { assert } from '../../shared/errors.js';
import { exists, readPieces } from '../../shared/files/read-file.js';
import { type MetricsRecord, recordText } from './record-text.js';

/** What the first line's hash stands on. */
export const CHAIN_START = '0'.repeat(64);
/** Longest line, in bytes; also the most that is held of a file without line breaks. */
const LINE_BYTES_MAX = 2 ** 20;
/** Largest file: it is read as a stream. */
const FILE_BYTES_MAX = 2 ** 36;
const NEWLINE = 0x0a;
const LINE = /^(\{.+),"chain":"([0-9a-f]{64})"\}$/s;

/** The next line of a chain, with its line break, and its hash. */
export function chained(previous: string, record: MetricsRecord): { line: string; hash: string } {
  const text = recordText(record);
  assert(text.length > 2, 'a line of metrics.jsonl says something');
  const own = hash('sha256', previous + text);
  return { line: `${text.slice(0, -1)},"chain":"${own}"}\n`, hash: own };
}

/** Where a chain ends. */
export interface ChainEnd {
  /** Of the last line that is whole. */
  readonly hash: string;
  /** Whole lines. */
  readonly lines: number;
  /** Bytes of these lines: what follows does not belong to the chain. */
  readonly bytes: number;
  /** What follows them, where anything does. */
  readonly fault?: ChainFault;
}

/** Why a line does not belong to the chain. */
export interface ChainFault {
  readonly line: number;
  readonly what: string;
  /** The file ends within the line, as a crash while it was written leaves it. */
  readonly isTorn: boolean;
}

/**
 * Reads the lines of metrics.jsonl up to the first that does not belong to the chain.
 * @param onLine is handed each line that does; may throw
 * @returns where the chain ends; an empty chain where there is no file
 * @throws UserError when the file cannot be read
 */
export async function readChain(
  path: string,
  onLine: (record: MetricsRecord, line: number) => void,
): Promise<ChainEnd> {
  let end: ChainEnd = { hash: CHAIN_START, lines: 0, bytes: 0 };
  if (!(await exists(path))) return end;
  let rest: Uint8Array = new Uint8Array();
  const faulty = (what: string, isTorn = false): ChainEnd => ({
    ...end,
    fault: { line: end.lines + 1, what, isTorn },
  });
  // A link could name any file of the user's, which a resume would then cut and append to.
  for await (const piece of readPieces(path, FILE_BYTES_MAX, { links: 'refuse' })) {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    let begin = 0;
    for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, begin)) {
      const parsed = parseLine(end.hash, bytes.subarray(begin, at));
      if ('what' in parsed) return faulty(parsed.what);
      onLine(parsed.record, end.lines + 1);
      end = { hash: parsed.hash, lines: end.lines + 1, bytes: end.bytes + at + 1 - begin };
      begin = at + 1;
    }
    rest = bytes.subarray(begin);
    if (rest.length > LINE_BYTES_MAX) return faulty(`it has more than ${LINE_BYTES_MAX} bytes`);
  }
  return rest.length === 0 ? end : faulty('the file ends within it', true);
}

function parseLine(
  previous: string,
  bytes: Uint8Array,
): { record: MetricsRecord; hash: string } | { what: string } {
  if (bytes.length > LINE_BYTES_MAX) return { what: `it has more than ${LINE_BYTES_MAX} bytes` };
  const [, body, own] = LINE.exec(textOf(bytes) ?? '') ?? [];
  if (body === undefined || own === undefined) return { what: 'it is not an object with a hash' };
  const text = `${body}}`;
  if (hash('sha256', previous + text) !== own)
    return { what: 'its hash does not fit: it, or a line before it, was altered' };
  const record = parseObject(text);
  // Written in another way, a line could say one thing to one reader and something else to another.
  if (record === undefined || JSON.stringify(record) !== text)
    return { what: 'it is not JSON as this program writes it' };
  return { record, hash: own };
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function parseObject(text: string): MetricsRecord | undefined {
  try {
    return JSON.parse(text) as MetricsRecord;
  } catch {
    return undefined;
  }
}
