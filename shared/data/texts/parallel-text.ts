/*
 * Two texts that say the same, sentence by sentence, as numbers of pieces of words: what a translator learns from.
 */
import { join } from 'node:path';
import { UserError } from '../../errors.js';
import { exists, readBoundedFile } from '../../files/read-file.js';
import type { Dataset } from '../dataset.js';
import { isOneIn } from '../held-out.js';
import { packPiecePairs, piecesOf } from './piece-pairs.js';
import { readSwordBible } from './sword.js';

const BIBLES = '/usr/share/sword/modules/texts/ztext';
const TEXT_BYTES_MAX = 2 ** 27;
/** Lines of people's own files that are learned, or held out, together: neighbours often repeat each other. */
const LINES_TOGETHER = 25;
/** One part in so many is never learned. */
const HELD_OUT = 50;
/** Pieces of both languages together. */
const PIECES = 2000;

/** Most pieces of a sentence, its end among them; pairs with a longer one are left out. */
export const PAIR_LENGTH = 40;

interface Pair {
  /** What is learned or held out together. */
  readonly part: string;
  readonly source: string;
  readonly target: string;
}

/** Pairs to learn from, pairs to be tested on, and what numbers stand for. */
export interface PairSplit {
  readonly train: Dataset;
  readonly test: Dataset;
  /** Piece by number; signs are empty. */
  readonly alphabet: readonly string[];
}

/**
 * Sentence pairs in pieces that are learned from the pairs to learn from. Fields: `read` (f32 [40]) and `present` (u8
 * [40]), the source's numbers and 1 for each that is no padding; `before` (f32 [40]), the start and all but the last of
 * `written` (i32 [40]), the target's numbers, ends behind them.
 * @param folder source.txt and target.txt, a sentence a line; without it English and Spanish Bibles of Debian packages.
 *   One chapter, or 25 lines, in fifty is held out, chosen by a hash of its name or number
 * @throws UserError that says how to get the data, or names the file and the mend
 */
export async function loadPairs(folder?: string): Promise<PairSplit> {
  const pairs = folder === undefined ? await readBibles() : await readLines(folder);
  const isHeldOut = ({ part }: Pair) => isOneIn(HELD_OUT, part);
  const learned = pairs.filter((pair) => !isHeldOut(pair));
  const texts = learned.flatMap(({ source, target }) => [source, target]);
  const { alphabet, numbersOf } = piecesOf(texts, PIECES);
  const pack = (name: string, from: readonly Pair[]) => {
    const rows = from
      .map(({ source, target }) => ({ read: numbersOf(source), written: numbersOf(target) }))
      .filter(({ read, written }) =>
        [read, written].every(({ length }) => length > 0 && length < PAIR_LENGTH),
      );
    if (rows.length === 0) {
      throw new UserError(
        `too few sentence pairs of at most ${PAIR_LENGTH - 1} pieces to learn from and to hold some out; give more lines`,
      );
    }
    return packPiecePairs(name, rows, { read: PAIR_LENGTH, written: PAIR_LENGTH });
  };
  return {
    train: pack('pairs-train', learned),
    test: pack('pairs-test', pairs.filter(isHeldOut)),
    alphabet,
  };
}

async function readBibles(): Promise<Pair[]> {
  const folders = ['engKJV2006eb', 'spaRV1909eb'].map((name) => join(BIBLES, name));
  for (const folder of folders) {
    if (!(await exists(folder))) {
      throw new UserError(
        `there is no ${folder}; run apt-get install sword-text-kjv sword-text-sparv, or give a folder with --data ` +
          'that holds source.txt and target.txt, a sentence a line',
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

async function readLines(folder: string): Promise<Pair[]> {
  const [source = [], target = []] = await Promise.all(
    ['source.txt', 'target.txt'].map(async (name) => {
      const bytes = await readBoundedFile(join(folder, name), TEXT_BYTES_MAX);
      return new TextDecoder().decode(bytes).trimEnd().split('\n');
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
      `${name} have ${source.length} and ${target.length} sentences; each needs its translation at the same place`,
    );
  }
  return source.map((text, i) => ({ part: partOf(i), source: text, target: target[i] as string }));
}
