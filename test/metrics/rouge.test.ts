import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rougeL } from '../../shared/metrics/rouge.js';

const scoreOf = (predicted: string, reference: string) => rougeL(predicted.split(' '), reference.split(' '));

/** The length of the longest common subsequence, by trying every subsequence of `a`. */
function longestCommon(a: readonly string[], b: readonly string[]): number {
  let longest = 0;
  for (let chosen = 0; chosen < 2 ** a.length; chosen++) {
    const words = a.filter((_, i) => (chosen >> i) % 2 === 1);
    let matched = 0;
    for (const word of b) if (word === words[matched]) matched++;
    if (matched === words.length) longest = Math.max(longest, words.length);
  }
  return longest;
}

describe('ROUGE-L', () => {
  it('is 1 for the reference itself, and 0 without a common word', () => {
    expect(scoreOf('the cat sat', 'the cat sat')).toBe(1);
    expect(scoreOf('a dog', 'the cat sat')).toBe(0);
    expect(rougeL([], ['a'])).toBe(0);
    expect(rougeL([], [])).toBe(0);
  });

  it('counts words in their order, with any words between', () => {
    // Lin's example: "police killed the gunman" shares 3 words in order with S2 and 2 with S3.
    expect(scoreOf('police kill the gunman', 'police killed the gunman')).toBeCloseTo(3 / 4, 12);
    expect(scoreOf('the gunman kill police', 'police killed the gunman')).toBeCloseTo(2 / 4, 12);
    // P = 2 / 5, R = 2 / 2.
    expect(scoreOf('a x b y z', 'a b')).toBeCloseTo((2 * 0.4) / 1.4, 12);
  });

  it('agrees with trying every subsequence', () => {
    const words = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(words, words, (predicted, reference) => {
        const common = longestCommon(predicted, reference);
        const [p, r] = [common / predicted.length, common / reference.length];
        const expected = common === 0 ? 0 : (2 * p * r) / (p + r);
        expect(rougeL(predicted, reference)).toBeCloseTo(expected, 12);
      }),
    );
  });
});
