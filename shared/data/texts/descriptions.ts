/*
 * Texts and their summaries as piece numbers: training data for a summariser.
 */
import { stat } from 'node:fs/promises';
import { UserError } from '../../errors.js';
import { parseJsonText } from '../../files/json.js';
import type { Dataset } from '../dataset.js';
import { hashNumber, isOneIn } from '../held-out.js';
import { readAptLists } from './apt-lists.js';
import { PAIR_SIGNS, type PairLengths, type PairPreprocessing } from './pair-preprocessing.js';
import {
  type PiecePair,
  type Pieces,
  packPiecePairs,
  piecesIn,
  piecesOf,
  UnknownLetters,
} from './piece-pairs.js';
import { readTextFile } from './text-file.js';

const FILE_BYTES_MAX = 2 ** 28;
/** One source in this many is held out. */
const HELD_OUT = 40;
/**
 * Most training texts that begin with the same sentence, ignoring digits: the network would memorise a family of hundreds of
 * packages instead of learning to summarise.
 */
const ALIKE_MOST = 3;
/** Pieces of both sides together. */
const PIECES = 4000;

/**
 * Sizes of a sample. The input is the text's name, the start sign, and as much of the long text as fits. Pairs with a longer
 * short text are left out.
 */
export const SUMMARY_LENGTHS: PairLengths = { read: 80, written: 28 };

/** A text and its summary. */
interface Summary {
  /** The subject; may be empty. */
  readonly name: string;
  /** Texts of one source are held out together. */
  readonly source: string;
  readonly short: string;
  /** Paragraphs, one a line. */
  readonly long: string;
}

/** A text and its summary as piece numbers. */
interface Reading extends PiecePair {
  /** Where the first sentence begins and ends in what is read. */
  readonly lead: readonly [number, number];
}

/** Data sets for training and evaluation, and the alphabet. */
export interface SummarySplit {
  readonly train: Dataset;
  readonly test: Dataset;
  /** Piece by number; signs are empty. */
  readonly alphabet: readonly string[];
  /** What was found and decided, one line each. */
  readonly notes: readonly string[];
  /** All that other texts need to be read as these were, as plain JSON. */
  readonly preprocessing: PairPreprocessing;
}

/**
 * Texts and summaries in pieces that are learned from the training texts. Fields: those of packPiecePairs, and `lead` (f32 [2]),
 * the begin and end of the long text's first sentence in `read`.
 *
 * One source in forty is held out, chosen by a hash of its name without digits, so that versions of one program stay together. Of
 * each, one text is used for evaluation, unless a training text has the same first sentence, ignoring digits. Of training texts
 * with the same first sentence, the first three are used.
 * @param path a folder of apt's lists, or a file with one JSON object per line: `{"long": "...", "short": "..."}`, optionally with
 *   `name`, which becomes part of the input, and `source`, whose texts are held out together; default: apt's own lists
 * @throws UserError that says how to get the data, or names the file, the line and the remedy
 */
export async function loadSummaries(path?: string): Promise<SummarySplit> {
  const isFile = path !== undefined && (await stat(path).catch(() => undefined))?.isFile();
  const { summaries, notes } = isFile
    ? await readSummaries(path)
    : { summaries: await readAptLists(path), notes: [] };
  const { learned, heldOut } = splitBySource(summaries);
  const texts = learned.flatMap(({ name, short, long }) => [name, short, ...leadOf(long)]);
  const pieces = piecesOf(texts, PIECES);
  const { alphabet } = pieces;
  const pack = (name: string, from: readonly Summary[]) => packSummaries(name, from, SUMMARY_LENGTHS, pieces);
  const [train, test] = [pack('summaries-train', learned), pack('summaries-test', heldOut)];
  return {
    train: train.dataset,
    test: test.dataset,
    alphabet,
    notes: [
      `${train.dataset.manifest.samples} texts for training, ${test.dataset.manifest.samples} held out; ` +
        `${train.leftOut + test.leftOut} left out, as their summary is empty or longer than ${SUMMARY_LENGTHS.written - 1} pieces`,
      ...train.changes('the texts for training'),
      ...test.changes('the texts held out'),
      ...notes,
    ],
    preprocessing: {
      ...{ kind: 'pairs', version: 1, form: 'summaries' },
      read: { alphabet: [...alphabet], length: SUMMARY_LENGTHS.read },
      written: { alphabet: null, length: SUMMARY_LENGTHS.written },
    },
  };
}

/**
 * All texts and summaries of a file, for a trained model to be measured on.
 * @param path a file with one JSON object per line; see loadSummaries
 * @throws UserError that names the file, the line and the remedy
 */
export async function summariesToMeasure(
  path: string,
  { read, written }: PairPreprocessing,
): Promise<{ readonly test: Dataset; readonly notes: readonly string[] }> {
  const lengths = { read: read.length, written: written.length };
  const { summaries, notes } = await readSummaries(path);
  const { dataset, leftOut, changes } = packSummaries(
    'summaries',
    summaries,
    lengths,
    piecesIn(read.alphabet),
  );
  const short =
    leftOut === 0
      ? []
      : [
          `${path}: ${leftOut} left out, as their summary is empty or longer than ${written.length - 1} pieces`,
        ];
  return { test: dataset, notes: [...short, ...changes(path), ...notes] };
}

/** Turns texts into numbers, and collects what a model does not see of them. */
export class Readings {
  private readonly unknown: UnknownLetters;
  private cut = 0;

  /** @param length most numbers of what is read, with an end */
  constructor(
    private readonly pieces: Pieces,
    private readonly length: number,
  ) {
    this.unknown = new UnknownLetters(pieces);
  }

  /**
   * The numbers of what is read: the name, a sign, and as much of the text as fits.
   * @returns `lead`: where the first sentence begins and ends
   */
  of({ name, long }: Pick<Summary, 'name' | 'long'>): Pick<Reading, 'read' | 'lead'> {
    for (const text of [name, long]) this.unknown.add(text);
    const { numbersOf } = this.pieces;
    const [lead, rest] = leadOf(long).map(numbersOf) as [number[], number[]];
    const before = [...numbersOf(name), PAIR_SIGNS.start];
    const all = [...before, ...lead, ...rest];
    const room = this.length - 1;
    if (all.length > room) this.cut += 1;
    return {
      read: all.slice(0, room),
      lead: [Math.min(before.length, room), Math.min(before.length + lead.length, room)],
    };
  }

  /** The numbers of a summary. */
  summaryOf(short: string): readonly number[] {
    this.unknown.add(short);
    return this.pieces.numbersOf(short);
  }

  /** @param where the texts are. @returns one line for each kind of change */
  notes(where: string): string[] {
    const cut =
      this.cut === 0
        ? []
        : [
            `${where}: longer than the ${this.length - 1} pieces that the model reads, so that the rest is not read: ${this.cut}`,
          ];
    return [...cut, ...this.unknown.notes(where)];
  }
}

function packSummaries(
  name: string,
  from: readonly Summary[],
  lengths: PairLengths,
  pieces: Pieces,
): {
  readonly dataset: Dataset;
  readonly leftOut: number;
  /** What the model does not see. @param where the texts are */
  readonly changes: (where: string) => string[];
} {
  const readings = new Readings(pieces, lengths.read);
  const rows = from
    .map((summary) => ({ ...readings.of(summary), written: readings.summaryOf(summary.short) }))
    .filter(({ written }) => written.length > 0 && written.length < lengths.written);
  if (rows.length === 0)
    throw new UserError(
      `too few texts with a summary of at most ${lengths.written - 1} pieces for training and evaluation; add more`,
    );
  const lead = Float32Array.from(rows.flatMap((row) => row.lead));
  const column = {
    dtype: 'f32',
    shape: [2],
    bytes: new Uint8Array(lead.buffer),
    scale: 1,
    shift: 0,
  } as const;
  return {
    dataset: packPiecePairs(name, rows, lengths, { lead: column }),
    leftOut: from.length - rows.length,
    changes: (where) => readings.notes(where),
  };
}

async function readSummaries(
  file: string,
): Promise<{ readonly summaries: readonly Summary[]; readonly notes: readonly string[] }> {
  const { text, notes } = await readTextFile(file, FILE_BYTES_MAX);
  const summaries = text.split('\n').flatMap((line, i) => {
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
  return { summaries, notes };
}

function parseObject(line: string, place: string): Record<string, unknown> {
  if (!line.trimStart().startsWith('{'))
    throw new UserError(`${place} is not a JSON object; write {"long": "...", "short": "..."}`);
  return parseJsonText(line, place) as Record<string, unknown>;
}

/** The first sentence of a long text, and the rest. */
function leadOf(long: string): [lead: string, rest: string] {
  // After "e.g." the sentence continues in lower case.
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
