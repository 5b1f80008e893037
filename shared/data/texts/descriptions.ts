/*
 * Long texts and the short ones that sum them up, as numbers of pieces of words: what a summariser learns from.
 */
import { stat } from 'node:fs/promises';
import { UserError } from '../../errors.js';
import { readBoundedFile } from '../../files/read-file.js';
import type { Dataset } from '../dataset.js';
import { hashNumber, isOneIn } from '../held-out.js';
import { readAptLists } from './apt-lists.js';
import { PAIR_SIGNS, type PairLengths, type PiecePair, packPiecePairs, piecesOf } from './piece-pairs.js';

const FILE_BYTES_MAX = 2 ** 28;
/** One part in so many is never learned. */
const HELD_OUT = 40;
/**
 * Of texts that begin with the same sentence, digits aside, no more are learned: a family of hundreds of packages would be
 * learned by heart in the place of how to sum up.
 */
const ALIKE_MOST = 3;
/** Pieces of both sides together. */
const PIECES = 4000;

/**
 * Most numbers of a sample. What is read is the text's name, the start sign, and as much of the long text as has room;
 * pairs with a longer short text are left out.
 */
export const SUMMARY_LENGTHS: PairLengths = { read: 80, written: 28 };

/** A long text and the short one that sums it up. */
interface Summary {
  /** What it is about; may be empty. */
  readonly name: string;
  /** What is learned or held out together. */
  readonly source: string;
  readonly short: string;
  /** Paragraphs, one a line. */
  readonly long: string;
}

/** Pairs to learn from, pairs to be tested on, and what numbers stand for. */
export interface SummarySplit {
  readonly train: Dataset;
  readonly test: Dataset;
  /** Piece by number; signs are empty. */
  readonly alphabet: readonly string[];
}

/**
 * Long and short texts in pieces that are learned from those to learn from. Fields: those of packPiecePairs, and `lead`
 * (f32 [2]), where in `read` the long text's first sentence begins and ends.
 *
 * One source in forty is held out, chosen by a hash of its name without digits, so that versions of one program stay
 * together; of each, one text is tested on, and none whose first sentence, digits aside, is learned from. Of those that
 * begin with the same sentence, the first three are learned.
 * @param path a folder of apt's lists, or a file of JSON objects, one a line: `{"long": "...", "short": "..."}`, and
 *   perhaps `name`, which is read too, and `source`, texts of which are held out together; default: apt's own lists
 * @throws UserError that says how to get the data, or names the file, the line and the mend
 */
export async function loadSummaries(path?: string): Promise<SummarySplit> {
  const isFile = path !== undefined && (await stat(path).catch(() => undefined))?.isFile();
  const all: readonly Summary[] = isFile ? await readSummaries(path) : await readAptLists(path);
  const { learned, heldOut } = splitBySource(all);
  const texts = learned.flatMap(({ name, short, long }) => [name, short, ...leadOf(long)]);
  const { alphabet, numbersOf } = piecesOf(texts, PIECES);
  const pack = (name: string, from: readonly Summary[]) => {
    const rows = from
      .map((summary) => toNumbers(summary, numbersOf))
      .filter(({ written }) => written.length > 0 && written.length < SUMMARY_LENGTHS.written);
    if (rows.length === 0) {
      throw new UserError(
        `too few texts with a short one of at most ${SUMMARY_LENGTHS.written - 1} pieces to learn from and to hold ` +
          'some out; give more',
      );
    }
    const lead = Float32Array.from(rows.flatMap((row) => row.lead));
    const column = {
      dtype: 'f32',
      shape: [2],
      bytes: new Uint8Array(lead.buffer),
      scale: 1,
      shift: 0,
    } as const;
    return packPiecePairs(name, rows, SUMMARY_LENGTHS, { lead: column });
  };
  return {
    train: pack('summaries-train', learned),
    test: pack('summaries-test', heldOut),
    alphabet,
  };
}

async function readSummaries(file: string): Promise<Summary[]> {
  const lines = new TextDecoder().decode(await readBoundedFile(file, FILE_BYTES_MAX)).split('\n');
  return lines.flatMap((line, i) => {
    if (line.trim() === '') return [];
    const place = `${file}, line ${i + 1}`;
    const { name = '', source = `${i}`, short, long } = parseObject(line, place);
    const given = { name, source, short, long };
    for (const [field, value] of Object.entries(given)) {
      if (typeof value !== 'string')
        throw new UserError(`${place}: ${field} must be a text; write {"long": "...", "short": "..."}`);
    }
    return [given as Summary];
  });
}

function parseObject(line: string, place: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {}
  throw new UserError(`${place} is no JSON object; write {"long": "...", "short": "..."}`);
}

/** The first sentence of a long text, and what follows. */
function leadOf(long: string): [lead: string, rest: string] {
  // Behind "e.g." the sentence goes on in lower case.
  const end = /[.!?](?=\s+\P{Ll})|\n|$/u.exec(long) as RegExpExecArray;
  const at = end.index + end[0].length;
  return [long.slice(0, at).trim(), long.slice(at).trim()];
}

function splitBySource(all: readonly Summary[]): { learned: Summary[]; heldOut: Summary[] } {
  const family = ({ source }: Summary) => source.replace(/[\d.]+/g, '') || source;
  const leadKey = ({ long }: Summary) => leadOf(long)[0].replace(/\d+/g, '');
  const families = new Map<string, boolean>();
  const isHeldOut = (summary: Summary): boolean => {
    const name = family(summary);
    const known = families.get(name) ?? isOneIn(HELD_OUT, name);
    families.set(name, known);
    return known;
  };
  const alike = new Map<string, number>();
  const learned = all.filter((summary) => {
    if (isHeldOut(summary)) return false;
    const known = alike.get(leadKey(summary)) ?? 0;
    alike.set(leadKey(summary), known + 1);
    return known < ALIKE_MOST;
  });
  const chosen = new Map<string, Summary>();
  for (const summary of all.filter(isHeldOut)) {
    const other = chosen.get(family(summary));
    const isNew = !alike.has(leadKey(summary));
    if (isNew && (other === undefined || hashNumber(summary.name) < hashNumber(other.name)))
      chosen.set(family(summary), summary);
  }
  return { learned, heldOut: [...chosen.values()] };
}

function toNumbers(
  { name, short, long }: Summary,
  numbersOf: (text: string) => number[],
): PiecePair & { readonly lead: readonly [number, number] } {
  const [lead, rest] = leadOf(long).map(numbersOf) as [number[], number[]];
  const before = [...numbersOf(name), PAIR_SIGNS.start];
  const room = SUMMARY_LENGTHS.read - 1;
  return {
    read: [...before, ...lead, ...rest].slice(0, room),
    written: numbersOf(short),
    lead: [Math.min(before.length, room), Math.min(before.length + lead.length, room)],
  };
}
