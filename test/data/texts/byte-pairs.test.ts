import { expect, it } from 'vitest';
import { learnPieces, pieceNumbers, spellPieces, wordsOf } from '../../../shared/data/texts/byte-pairs.js';

/** The example of Sennrich, Haddow and Birch: how often each word was met. */
const MET = { low: 5, lowest: 2, newer: 6, wider: 3 };
const WORDS = Object.entries(MET).flatMap(([word, count]) => new Array<string>(count).fill(word));

it('tells words and marks apart', () => {
  expect(wordsOf('Y fué así, 40 días.')).toEqual(['y', 'fué', 'así', ',', '40', 'días', '.']);
});

it('joins the most frequent pair first; of equals, the first in order', () => {
  const letters = ['d', 'e', 'i', 'l', 'n', 'o', 'r ', 's', 't ', 'w', 'w '];
  expect(learnPieces(WORDS, letters.length)).toEqual(letters);
  // e and r: 6 + 3. l and o: 5 + 2. n and e: 6, as also w and er; "e\nw" comes before "n\ne" and "w\ner ".
  expect(learnPieces(WORDS, letters.length + 3).slice(letters.length)).toEqual(['er ', 'lo', 'ew']);
  expect(learnPieces([...WORDS].reverse(), 20)).toEqual(learnPieces(WORDS, 20));
});

it('joins nothing that occurs once', () => {
  expect(learnPieces(['ab'], 100)).toEqual(['a', 'b ']);
});

it('spells every word of known letters, met or not', () => {
  const pieces = learnPieces(WORDS, 16);
  const numbers = pieceNumbers(pieces);
  const words = ['newer', 'lower', 'slow', 'stew', 'low', 'low'];
  const spelled = words.flatMap((word) => numbers(word).map((number) => pieces[number] as string));
  expect(spellPieces(spelled)).toEqual(['newer', 'lower', 'slow', 'sew', 'low', 'low']);
});
