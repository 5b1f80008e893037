import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { multiplyHigh, philox, type Words } from '../../shared/data/philox.js';

const MASK = 0xffffffffn;

/** The dumb twin: the paper's round in integers of any size. */
function referencePhilox(counter: readonly number[], key0: number, key1: number): number[] {
  let [c0, c1, c2, c3] = counter.map(BigInt) as [bigint, bigint, bigint, bigint];
  let [k0, k1] = [BigInt(key0), BigInt(key1)];
  for (let round = 0; round < 10; round++) {
    const p0 = 0xd2511f53n * c0;
    const p1 = 0xcd9e8d57n * c2;
    [c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & MASK, (p0 >> 32n) ^ c3 ^ k1, p0 & MASK];
    [k0, k1] = [(k0 + 0x9e3779b9n) & MASK, (k1 + 0xbb67ae85n) & MASK];
  }
  return [c0, c1, c2, c3].map(Number);
}

function draw(counter: Words, key0: number, key1: number): Words {
  const words: Words = [...counter];
  philox(words, key0, key1);
  return words;
}

describe('Philox4x32-10', () => {
  const ones = 0xffffffff;
  it.each<[Words, number, number, Words]>([
    [[0, 0, 0, 0], 0, 0, [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]],
    [[ones, ones, ones, ones], ones, ones, [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      0xa4093822,
      0x299f31d0,
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])('gives the known answers of the Random123 library for %s', (counter, key0, key1, expected) => {
    expect(draw(counter, key0, key1)).toEqual(expected);
  });

  it('agrees with the definition in big integers', () => {
    const word = fc.integer({ min: 0, max: ones });
    fc.assert(
      fc.property(fc.tuple(word, word, word, word), word, word, (counter, key0, key1) => {
        expect(draw(counter, key0, key1)).toEqual(referencePhilox(counter, key0, key1));
        const high = (BigInt(key0) * BigInt(key1)) >> 32n;
        expect(multiplyHigh(key0, key1) >>> 0).toBe(Number(high));
      }),
      { numRuns: 300 },
    );
    expect(multiplyHigh(ones, ones) >>> 0).toBe(0xfffffffe);
  });
});
