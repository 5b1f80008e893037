import { expect, it } from 'vitest';
import { randomIdentifier } from '../../shared/actor/rng.js';
import { SeededRandom } from '../../shared/actor/seeded-random.js';

it('makes unique identifiers that are valid in URLs', () => {
  const identifiers = Array.from({ length: 2000 }, randomIdentifier);
  for (const identifier of identifiers) expect(identifier).toMatch(/^[A-Za-z0-9_-]{22}$/);
  expect(new Set(identifiers).size).toBe(2000);
  // 128 bits: the last of 22 characters carries two of them, the others six.
  expect(new Set(identifiers.map((identifier) => identifier[21])).size).toBe(4);
});

it('draws the same numbers for the same seed', () => {
  const numbers = (seed: number): number[] => {
    const random = new SeededRandom(seed);
    return Array.from({ length: 5 }, () => random.next());
  };
  expect(numbers(1)).toEqual(numbers(1));
  expect(numbers(1)).not.toEqual(numbers(2));
});

it('draws uniform numbers', () => {
  const random = new SeededRandom(42);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 100_000; i++) counts[random.below(10)]! += 1;
  // Six standard deviations: sqrt(100000 * 0.1 * 0.9) = 95.
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(570);
  let hits = 0;
  for (let i = 0; i < 100_000; i++) hits += random.chance(0.25) ? 1 : 0;
  expect(Math.abs(hits - 25_000)).toBeLessThan(820);
});

it('has chances of exactly 0 and 1', () => {
  const random = new SeededRandom(7);
  for (let i = 0; i < 1000; i++) {
    expect(random.chance(0)).toBe(false);
    expect(random.chance(1)).toBe(true);
  }
});
