import { expect, it } from 'vitest';
import { learnDictionary } from '../../examples/support/word-dictionary.js';

const pair = (source: string, target: string) => ({ source: source.split(' '), target: target.split(' ') });

it('learns translations of words from sentence pairs alone', () => {
  // The example of Knight's workbook (1999), with one more sentence.
  const pairs = [pair('b c', 'x y'), pair('b', 'y'), pair('c d', 'x z')];
  expect(learnDictionary(pairs)).toEqual(
    new Map([
      ['b', 'y'],
      ['c', 'x'],
      ['d', 'z'],
    ]),
  );
});
