/*
 * Pairs of texts as piece numbers, in the form that an encoder and a decoder need.
 */
import { sha256Hex } from '../../files/sha256.js';
import { type Column, type Dataset, packDataset } from '../dataset.js';
import { listed } from '../tables/problems.js';
import { learnPieces, pieceNumbers, unknownLetters, wordsOf } from './byte-pairs.js';
import { PAIR_SIGNS, type PairLengths } from './pair-preprocessing.js';

/** Piece p has the number p + SIGNS. */
const SIGNS = Object.keys(PAIR_SIGNS).length;
/** Unknown letters that are listed. */
const LETTERS_LISTED = 6;
/** The padding of `written`, which does not count in the loss. */
export const NOT_SAID = -1;

/** The conversion of texts to piece numbers. */
export interface Pieces {
  /** Piece by number; signs are empty. */
  readonly alphabet: readonly string[];
  /** Without unknown letters. */
  numbersOf(text: string): number[];
  /** The letters that `numbersOf` leaves out. */
  unknownIn(text: string): string[];
}

/**
 * Learns pieces from texts; see learnPieces.
 * @param most pieces and signs
 */
export function piecesOf(texts: readonly string[], most: number): Pieces {
  const pieces = learnPieces(texts.flatMap(wordsOf), most - SIGNS);
  return piecesIn([...new Array<string>(SIGNS).fill(''), ...pieces]);
}

/** The conversion with pieces that were learned before. @param alphabet piece by number, signs first */
export function piecesIn(alphabet: readonly string[]): Pieces {
  const numbers = pieceNumbers(alphabet.slice(SIGNS));
  const unknown = unknownLetters(alphabet.slice(SIGNS));
  return {
    unknownIn: (text) => wordsOf(text).flatMap(unknown),
    alphabet,
    numbersOf: (text) => wordsOf(text).flatMap((word) => numbers(word).map((n) => n + SIGNS)),
  };
}

/** Collects the letters of texts that a model has not learned. They are left out when a text becomes numbers. */
export class UnknownLetters {
  private readonly counts = new Map<string, number>();

  constructor(private readonly pieces: Pieces) {}

  add(text: string): void {
    for (const letter of this.pieces.unknownIn(text))
      this.counts.set(letter, (this.counts.get(letter) ?? 0) + 1);
  }

  /** @param where the texts are */
  notes(where: string): string[] {
    if (this.counts.size === 0) return [];
    const all = [...this.counts.values()].reduce((sum, count) => sum + count, 0);
    const shown = [...this.counts.keys()].map((letter) =>
      letter.endsWith(' ') ? `${letter.trim()} at the end of a word` : letter,
    );
    return [
      `${where}: ${all} letters that the model has not learned are left out, such as ${listed(shown, LETTERS_LISTED)}`,
    ];
  }
}

/** Source and target as piece numbers, without ends and padding. */
export interface PiecePair {
  readonly read: readonly number[];
  readonly written: readonly number[];
}

/**
 * Fields: `read` (f32) and `present` (u8), the source and 1 for each number that is not padding; `before` (f32), the start sign and
 * all but the last of `written` (i32), the target with an end, padded with NOT_SAID.
 * @param rows each shorter than its length
 * @param more additional fields
 */
export function packPiecePairs(
  name: string,
  rows: readonly PiecePair[],
  lengths: PairLengths,
  more: Readonly<Record<string, Column>> = {},
): Dataset {
  const { end, start } = PAIR_SIGNS;
  const read = new Float32Array(rows.length * lengths.read).fill(end);
  const present = new Uint8Array(rows.length * lengths.read);
  const before = new Float32Array(rows.length * lengths.written).fill(end);
  const written = new Int32Array(rows.length * lengths.written).fill(NOT_SAID);
  rows.forEach((pair, row) => {
    const from = row * lengths.read;
    read.set(pair.read, from);
    present.fill(1, from, from + pair.read.length + 1);
    const to = row * lengths.written;
    before.set([start, ...pair.written], to);
    written.set([...pair.written, end], to);
  });
  const plain = (length: number) => ({ shape: [length], scale: 1, shift: 0 });
  const bytes = (numbers: Float32Array | Int32Array) => new Uint8Array(numbers.buffer);
  const columns: Record<string, Column> = {
    read: { dtype: 'f32', bytes: bytes(read), ...plain(lengths.read) },
    present: { dtype: 'u8', bytes: present, ...plain(lengths.read) },
    before: { dtype: 'f32', bytes: bytes(before), ...plain(lengths.written) },
    written: { dtype: 'i32', bytes: bytes(written), ...plain(lengths.written) },
  };
  return packDataset(name, rows.length, { ...columns, ...more }, sha256Hex);
}
