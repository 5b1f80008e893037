import { describe, expect, it } from 'vitest';
import { bleu } from '../../shared/metrics/bleu.js';

const pair = (predicted: string, reference: string) => ({
  predicted: predicted.split(' '),
  reference: reference.split(' '),
});

describe('BLEU', () => {
  it('is 1 for the reference itself', () => {
    expect(bleu([pair('the cat sat on the mat', 'the cat sat on the mat')])).toBe(1);
  });

  it('counts n-grams at most as often as the reference has them', () => {
    // Of 7, 6, 5 and 4 n-grams 5, 4, 3 and 2 are right: the second "the cat" is one too many.
    const clipped = bleu([pair('the cat sat on it the cat', 'the cat sat on it')]);
    expect(clipped).toBeCloseTo(((5 / 7) * (4 / 6) * (3 / 5) * (2 / 4)) ** 0.25, 12);
  });

  it('penalises brevity', () => {
    // Every n-gram is right, with 4 words of 6.
    expect(bleu([pair('the cat sat on', 'the cat sat on the mat')])).toBeCloseTo(Math.exp(1 - 6 / 4), 12);
  });

  it('sums over the corpus before it divides', () => {
    const pairs = [pair('a b c d e', 'a b c d e'), pair('f g', 'h i')];
    expect(bleu(pairs)).toBeCloseTo(((5 / 7) * (4 / 5)) ** 0.25, 12);
    expect(bleu([...pairs].reverse())).toBe(bleu(pairs));
  });

  it('is 0 without four right words in a row, and for an empty prediction', () => {
    expect(bleu([pair('the cat sat down', 'the cat sat up')])).toBe(0);
    expect(bleu([{ predicted: [], reference: ['a'] }])).toBe(0);
  });
});
