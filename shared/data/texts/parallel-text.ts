/*
 * Parallel texts, aligned by sentence, as piece numbers: training data for a translator.
 */
import { join } from 'node:path';
import { UserError } from '../../errors.js';
import { exists } from '../../files/read-file.js';
import type { Dataset } from '../dataset.js';
import { isOneIn } from '../held-out.js';
import type { PairLengths, PairPreprocessing } from './pair-preprocessing.js';
import { type Pieces, packPiecePairs, piecesIn, piecesOf, UnknownLetters } from './piece-pairs.js';
import { readSwordBible } from './sword.js';
import { readTextFile } from './text-file.js';

const BIBLES = '/usr/share/sword/modules/texts/ztext';
const TEXT_BYTES_MAX = 2 ** 27;
/** Consecutive lines of a user's files that are held out together, because neighbouring lines often repeat each other. */
const LINES_TOGETHER = 25;
/** One part in this many is held out. */
const HELD_OUT = 50;
/** Pieces of both languages together. */
const PIECES = 2000;

/** Most pieces of a sentence, including its end; longer pairs are left out. */
export const PAIR_LENGTH = 40;
const PAIR_LENGTHS: PairLengths = { read: PAIR_LENGTH, written: PAIR_LENGTH };

/** A text and its translation. */
export interface Pair {
  /** Pairs of one part are held out together. */
  readonly part: string;
  readonly source: string;
  readonly target: string;
}

/** Pairs of files. */
export interface ReadPairs {
  readonly pairs: readonly Pair[];
  /** What was decided, one line each. */
  readonly notes: readonly string[];
}

/** Data sets for training and evaluation, and the alphabet. */
export interface PairSplit {
  readonly train: Dataset;
  readonly test: Dataset;
  /** Piece by number; signs are empty. */
  readonly alphabet: readonly string[];
  /** What was found and decided, one line each. */
  readonly notes: readonly string[];
  /** All that other sentences need to be read as these were, as plain JSON. */
  readonly preprocessing: PairPreprocessing;
}

/**
 * Sentence pairs in pieces that are learned from the training pairs. Fields: `read` (f32 [40]) and `present` (u8 [40]), the source's
 * piece numbers and 1 for each that is not padding; `before` (f32 [40]), the start sign and all but the last of `written`
 * (i32 [40]), the target's piece numbers, padded with ends.
 * @param folder with source.txt and target.txt, one sentence per line; default: English and Spanish Bibles of Debian packages.
 *   One chapter, or 25 lines, in fifty is held out, chosen by a hash of its name or number
 * @throws UserError that says how to get the data, or names the file and the remedy
 */
export async function loadPairs(folder?: string): Promise<PairSplit> {
  const { pairs, notes } = folder === undefined ? await readBibles() : await readLines(folder);
  const isHeldOut = ({ part }: Pair) => isOneIn(HELD_OUT, part);
  const learned = pairs.filter((pair) => !isHeldOut(pair));
  const texts = learned.flatMap(({ source, target }) => [source, target]);
  const pieces = piecesOf(texts, PIECES);
  const { alphabet } = pieces;
  const pack = (name: string, from: readonly Pair[]) => packSentences(name, from, PAIR_LENGTHS, pieces);
  const asked = pairs.filter(isHeldOut);
  const [train, test] = [pack('pairs-train', learned), pack('pairs-test', asked)];
  const repeated = countRepeated(learned, asked);
  return {
    train: train.dataset,
    test: test.dataset,
    alphabet,
    notes: [
      `${train.dataset.manifest.samples} pairs of sentences for training, ${test.dataset.manifest.samples} held out; ` +
        `${train.leftOut + test.leftOut} left out, as a side is empty or longer than ${PAIR_LENGTH - 1} pieces`,
      ...(repeated === 0
        ? []
        : [
            `${repeated} of the pairs held out are also among those for training: they measure what was memorised`,
          ]),
      ...train.unknown.notes('the pairs for training'),
      ...test.unknown.notes('the pairs held out'),
      ...notes,
    ],
    preprocessing: {
      ...{ kind: 'pairs', version: 1, form: 'sentences' },
      read: { alphabet: [...alphabet], length: PAIR_LENGTH },
      written: { alphabet: null, length: PAIR_LENGTH },
    },
  };
}

/**
 * All sentence pairs of source.txt and target.txt, for a trained model to be measured on.
 * @throws UserError that names the file and the remedy
 */
export async function sentencesToMeasure(
  folder: string,
  { read, written }: PairPreprocessing,
): Promise<{ readonly test: Dataset; readonly notes: readonly string[] }> {
  const lengths = { read: read.length, written: written.length };
  const { pairs, notes } = await readLines(folder);
  const { dataset, leftOut, unknown } = packSentences('pairs', pairs, lengths, piecesIn(read.alphabet));
  const short =
    leftOut === 0
      ? []
      : [
          `${folder}: ${leftOut} pairs left out, as a side is empty or longer than ${written.length - 1} pieces`,
        ];
  return { test: dataset, notes: [...short, ...unknown.notes(folder), ...notes] };
}

/** The number of pairs that are also among those that were learned. */
function countRepeated(learned: readonly Pair[], asked: readonly Pair[]): number {
  const keyOf = ({ source, target }: Pair) => `${source}\0${target}`;
  const known = new Set(learned.map(keyOf));
  return asked.filter((pair) => known.has(keyOf(pair))).length;
}

function packSentences(
  name: string,
  pairs: readonly Pair[],
  lengths: PairLengths,
  pieces: Pieces,
): { readonly dataset: Dataset; readonly leftOut: number; readonly unknown: UnknownLetters } {
  const unknown = new UnknownLetters(pieces);
  for (const { source, target } of pairs) for (const text of [source, target]) unknown.add(text);
  const rows = pairs
    .map(({ source, target }) => ({ read: pieces.numbersOf(source), written: pieces.numbersOf(target) }))
    .filter(
      ({ read, written }) =>
        read.length > 0 &&
        read.length < lengths.read &&
        written.length > 0 &&
        written.length < lengths.written,
    );
  if (rows.length === 0)
    throw new UserError(
      `too few sentence pairs of at most ${lengths.written - 1} pieces for training and evaluation; add more lines`,
    );
  return { dataset: packPiecePairs(name, rows, lengths), leftOut: pairs.length - rows.length, unknown };
}

async function readBibles(): Promise<ReadPairs> {
  const folders = ['engKJV2006eb', 'spaRV1909eb'].map((name) => join(BIBLES, name));
  for (const folder of folders) {
    if (!(await exists(folder))) {
      throw new UserError(
        `${folder} does not exist; run apt-get install sword-text-kjv sword-text-sparv, or name a folder with --data ` +
          'that contains source.txt and target.txt, with one sentence per line',
      );
    }
  }
  const [source = [], target = []] = await Promise.all(folders.map(readSwordBible));
  const pairs = pairUp(
    source.map(({ text }) => text),
    target.map(({ text }) => text),
    (i) => source[i]?.chapter ?? '',
    `${folders[0]} and ${folders[1]}`,
  );
  return { pairs, notes: [] };
}

/**
 * Lines of source.txt, and their translations in target.txt.
 * @throws UserError when a file cannot be read, or the numbers of lines differ
 */
export async function readLines(folder: string): Promise<ReadPairs> {
  const [source, target] = await Promise.all([
    readTextFile(join(folder, 'source.txt'), TEXT_BYTES_MAX),
    readTextFile(join(folder, 'target.txt'), TEXT_BYTES_MAX),
  ]);
  const files = `source.txt and target.txt in ${folder}`;
  const partOf = (i: number) => String(Math.floor(i / LINES_TOGETHER));
  const pairs = pairUp(...withoutEmptyEnds(linesOf(source.text), linesOf(target.text)), partOf, files);
  return { pairs, notes: [...source.notes, ...target.notes] };
}

function linesOf(text: string): string[] {
  return text.replace(/(\r\n|\n|\r)$/, '').split(/\r\n|\n|\r/);
}

/** Without empty lines behind the last line of the shorter text. An empty line beside a text is a pair. */
function withoutEmptyEnds(...texts: [string[], string[]]): [string[], string[]] {
  const lines = Math.min(...texts.map(({ length }) => length));
  const cut = (text: string[]) =>
    text.slice(lines).every((line) => line.trim() === '') ? text.slice(0, lines) : text;
  return [cut(texts[0]), cut(texts[1])];
}

function pairUp(
  source: readonly string[],
  target: readonly string[],
  partOf: (index: number) => string,
  name: string,
): Pair[] {
  if (source.length !== target.length) {
    throw new UserError(
      `${name} have ${source.length} and ${target.length} sentences; each sentence needs its translation on the same line`,
    );
  }
  return source.map((text, i) => ({ part: partOf(i), source: text, target: target[i] as string }));
}
