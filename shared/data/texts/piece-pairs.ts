/*
 * Pairs of texts in pieces of words, as an encoder and a decoder take them: one reads, one writes piece by piece.
 */
import { sha256Hex } from '../../files/sha256.js';
import { type Column, type Dataset, packDataset } from '../dataset.js';
import { learnPieces, pieceNumbers, wordsOf } from './byte-pairs.js';

/** Numbers that are no pieces, in front of them. */
export const PAIR_SIGNS = { end: 0, start: 1 } as const;
/** How many they are: piece p has the number p + SIGNS. */
const SIGNS = Object.keys(PAIR_SIGNS).length;
/** Stands in `written` behind the end, where nothing need be said. */
export const NOT_SAID = -1;

/** Texts as numbers of pieces. */
export interface Pieces {
  /** Piece by number; signs are empty. */
  readonly alphabet: readonly string[];
  numbersOf(text: string): number[];
}

/**
 * Learns pieces of words, as learnPieces does.
 * @param texts to learn from
 * @param most pieces and signs to know
 */
export function piecesOf(texts: readonly string[], most: number): Pieces {
  const pieces = learnPieces(texts.flatMap(wordsOf), most - SIGNS);
  const numbers = pieceNumbers(pieces);
  return {
    alphabet: [...new Array<string>(SIGNS).fill(''), ...pieces],
    numbersOf: (text) => wordsOf(text).flatMap((word) => numbers(word).map((n) => n + SIGNS)),
  };
}

/** What is read and what is to be written, as numbers; ends and padding are not among them. */
export interface PiecePair {
  readonly read: readonly number[];
  readonly written: readonly number[];
}

/** Most numbers of either side, an end among them. */
export interface PairLengths {
  readonly read: number;
  readonly written: number;
}

/**
 * Fields: `read` (f32) and `present` (u8), numbers and 1 for each that is no padding; `before` (f32), the start and all but
 * the last of `written` (i32), an end and NOT_SAID behind them.
 * @param rows each shorter than its length
 * @param more fields beside them
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
