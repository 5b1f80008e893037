import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { editDistance, errorRate } from '../../shared/metrics/edit-distance.js';

/** By the definition: the last elements are kept or replaced, or one of them is removed. */
function byDefinition(a: string, b: string): number {
  if (a === '' || b === '') return a.length + b.length;
  const [shortA, shortB] = [a.slice(0, -1), b.slice(0, -1)];
  return Math.min(
    byDefinition(shortA, shortB) + (a.at(-1) === b.at(-1) ? 0 : 1),
    byDefinition(shortA, b) + 1,
    byDefinition(a, shortB) + 1,
  );
}

describe('the edit distance', () => {
  it.each([
    ['kitten', 'sitting', 3],
    ['intention', 'execution', 5],
    ['', 'abc', 3],
    ['same', 'same', 0],
  ])('of %s and %s is %i', (a, b, distance) => {
    expect([editDistance(a, b), editDistance(b, a)]).toEqual([distance, distance]);
  });

  it('agrees with its definition', () => {
    const random = new SeededRandom(3);
    const text = (): string => Array.from({ length: random.below(7) }, () => 'abc'[random.below(3)]).join('');
    for (let i = 0; i < 100; i++) {
      const [a, b] = [text(), text()];
      expect(editDistance(a, b), `${a} ${b}`).toBe(byDefinition(a, b));
    }
  });

  it('compares lists of any elements', () => {
    expect(editDistance(['the', 'cat', 'sat'], ['a', 'cat', 'sat', 'down'])).toBe(2);
    expect(editDistance(Uint32Array.of(1, 2, 3), Uint32Array.of(1, 3))).toBe(1);
  });
});

describe('the error rate', () => {
  it('gives long references more weight', () => {
    const pairs = [
      { predicted: 'ab', reference: 'ab' },
      { predicted: 'abcdxyz', reference: 'abcd' },
      { predicted: '', reference: 'ab' },
    ];
    expect(errorRate(pairs)).toBe(5 / 8);
  });
});
