/*
 * Byte-pair encoding: words are split into pieces, starting from letters and repeatedly merging the most frequent pair (Sennrich,
 * Haddow, Birch: "Neural machine translation of rare words with subword units", 2016). The last piece of a word ends in a space, so
 * that joined pieces read as words again.
 */
import { assert } from '../../errors.js';

/** Words in lower case, numbers, and punctuation marks one by one. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/\p{L}+|\p{N}+|[^\s\p{L}\p{N}]/gu) ?? [];
}

/** The words that a sequence of pieces spells. */
export function spellPieces(pieces: readonly string[]): string[] {
  return pieces
    .join('')
    .split(' ')
    .filter((word) => word !== '');
}

/**
 * Chooses the pairs to merge, the most frequent first; among equals, the first in code unit order.
 * @param words all words of a text, in any order
 * @param pieces most pieces, including letters
 * @returns all pieces: the letters, sorted, then the merged pairs in merging order
 */
export function learnPieces(words: Iterable<string>, pieces: number): string[] {
  const frequency = new Map<string, number>();
  for (const word of words) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  const spelled = Array.from(frequency, ([word, count]) => ({ parts: lettersOf(word), count }));
  const known = new Set(spelled.flatMap(({ parts }) => parts).sort());
  /** The frequency of each pair, and the words that contain or contained it. */
  const pairs = new Map<string, { count: number; words: Set<number> }>();
  const note = (index: number, sign: 1 | -1) => {
    const { parts, count } = spelled[index] as (typeof spelled)[number];
    for (let i = 0; i + 1 < parts.length; i++) {
      const key = `${parts[i]}\n${parts[i + 1]}`;
      const pair = pairs.get(key) ?? { count: 0, words: new Set() };
      pair.count += sign * count;
      pair.words.add(index);
      pairs.set(key, pair);
    }
  };
  for (let i = 0; i < spelled.length; i++) note(i, 1);
  while (known.size < pieces) {
    let best = '';
    let most = 1;
    for (const [key, { count }] of pairs)
      if (count > most || (count === most && count > 1 && key < best)) [best, most] = [key, count];
    // Pairs that occur once are not worth a piece.
    if (best === '') break;
    const [left, right] = best.split('\n') as [string, string];
    known.add(left + right);
    for (const index of pairs.get(best)?.words ?? []) {
      const word = spelled[index] as (typeof spelled)[number];
      note(index, -1);
      word.parts = joinPair(word.parts, left, right);
      note(index, 1);
    }
    pairs.delete(best);
  }
  return [...known];
}

/**
 * Returns a function that converts words into piece numbers.
 * @param pieces from learnPieces; a piece's number is its index
 * @returns the piece numbers of a word, without unknown letters
 */
export function pieceNumbers(pieces: readonly string[]): (word: string) => readonly number[] {
  const numbers = new Map(pieces.map((piece, number) => [piece, number]));
  const spelled = new Map<string, readonly number[]>();
  return (word) => {
    const before = spelled.get(word);
    if (before !== undefined) return before;
    let parts = lettersOf(word).filter((letter) => numbers.has(letter));
    for (;;) {
      let first = Number.POSITIVE_INFINITY;
      for (let i = 0; i + 1 < parts.length; i++)
        first = Math.min(first, numbers.get(`${parts[i]}${parts[i + 1]}`) ?? Number.POSITIVE_INFINITY);
      const joined = pieces[first];
      if (joined === undefined) break;
      const at = parts.findIndex((part, i) => part + parts[i + 1] === joined);
      parts = joinPair(parts, parts[at] as string, parts[at + 1] as string);
    }
    const found = parts.map((part) => numbers.get(part) as number);
    spelled.set(word, found);
    return found;
  };
}

/**
 * Returns a function that finds the letters of a word that pieceNumbers leaves out. A letter that was learned only inside of words is
 * unknown at their ends.
 */
export function unknownLetters(pieces: readonly string[]): (word: string) => readonly string[] {
  const known = new Set(pieces);
  return (word) => lettersOf(word).filter((letter) => !known.has(letter));
}

/** A word's letters; the last one is followed by a space. */
function lettersOf(word: string): string[] {
  const letters = Array.from(word);
  const last = letters.pop();
  assert(last !== undefined, 'a word has letters');
  return [...letters, `${last} `];
}

function joinPair(parts: readonly string[], left: string, right: string): string[] {
  const joined: string[] = [];
  for (let i = 0; i < parts.length; i++) {
    const meets = parts[i] === left && parts[i + 1] === right;
    joined.push(meets ? left + right : (parts[i] as string));
    if (meets) i++;
  }
  return joined;
}
