/*
 * Parallel texts, aligned by sentence, as piece numbers: training data for a translator.
 */
import { join } from 'node:path';
import { UserError } from '../../errors.js';
import { exists } from '../../files/read-file.js';
import type { Dataset } from '../dataset.js';
import { isOneIn } from '../held-out.js';
import type { PairLengths, PairPreprocessing } from './pair-preprocessing.js';
import { packPiecePairs, piecesIn, piecesOf } from './piece-pairs.js';
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
  const pairs = folder === undefined ? await readBibles() : await readLines(folder);
  const isHeldOut = ({ part }: Pair) => isOneIn(HELD_OUT, part);
  const learned = pairs.filter((pair) => !isHeldOut(pair));
  const texts = learned.flatMap(({ source, target }) => [source, target]);
  const { alphabet, numbersOf } = piecesOf(texts, PIECES);
  const pack = (name: string, from: readonly Pair[]) => packSentences(name, from, PAIR_LENGTHS, numbersOf);
  const [train, test] = [pack('pairs-train', learned), pack('pairs-test', pairs.filter(isHeldOut))];
  return {
    train: train.dataset,
    test: test.dataset,
    alphabet,
    notes: [
      `${train.dataset.manifest.samples} pairs of sentences for training, ${test.dataset.manifest.samples} held out; ` +
        `${train.leftOut + test.leftOut} left out, as a side is empty or longer than ${PAIR_LENGTH - 1} pieces`,
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
  const { numbersOf } = piecesIn(read.alphabet);
  const lengths = { read: read.length, written: written.length };
  const { dataset, leftOut } = packSentences('pairs', await readLines(folder), lengths, numbersOf);
  const notes =
    leftOut === 0
      ? []
      : [
          `${folder}: ${leftOut} pairs left out, as a side is empty or longer than ${written.length - 1} pieces`,
        ];
  return { test: dataset, notes };
}

function packSentences(
  name: string,
  pairs: readonly Pair[],
  lengths: PairLengths,
  numbersOf: (text: string) => number[],
): { readonly dataset: Dataset; readonly leftOut: number } {
  const rows = pairs
    .map(({ source, target }) => ({ read: numbersOf(source), written: numbersOf(target) }))
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
  return { dataset: packPiecePairs(name, rows, lengths), leftOut: pairs.length - rows.length };
}

async function readBibles(): Promise<Pair[]> {
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
  return pairUp(
    source.map(({ text }) => text),
    target.map(({ text }) => text),
    (i) => source[i]?.chapter ?? '',
    `${folders[0]} and ${folders[1]}`,
  );
}

/**
 * Lines of source.txt, and their translations in target.txt.
 * @throws UserError when a file cannot be read, or the numbers of lines differ
 */
export async function readLines(folder: string): Promise<Pair[]> {
  const [source = [], target = []] = await Promise.all(
    ['source.txt', 'target.txt'].map(async (name) => {
      const { text } = await readTextFile(join(folder, name), TEXT_BYTES_MAX);
      return text.trimEnd().split(/\r\n|\n|\r/);
    }),
  );
  const files = `source.txt and target.txt in ${folder}`;
  return pairUp(source, target, (i) => String(Math.floor(i / LINES_TOGETHER)), files);
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
