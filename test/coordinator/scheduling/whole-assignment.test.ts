import { expect, it } from 'vitest';
import { assignWhole } from '../../../coordinator/scheduling/whole-assignment.js';

/** How many of so many replicas each is given. */
function counts(replicas: number, members: Parameters<typeof assignWhole>[1]): Record<string, number> {
  const { shares } = assignWhole({ from: 0, to: replicas }, members);
  return Object.fromEntries(shares.map(({ memberId, range }) => [memberId, range.to - range.from]));
}

const member = (id: string, more: object = {}): Parameters<typeof assignWhole>[1][number] => ({
  ...{ id, name: id, msPerLeaf: 100, overheadMs: 1 },
  ...more,
});

it('gives each relay as many replicas as those below it compute at a time', () => {
  const members = [
    member('a', { concurrency: 15, overheadMs: 9 }),
    member('b', { concurrency: 14, overheadMs: 5 }),
    member('c', { overheadMs: 20 }),
  ];
  expect(counts(30, members)).toEqual({ a: 15, b: 14, c: 1 });
});

it('counts the time of what a member owes already', () => {
  expect(
    counts(4, [member('a', { owed: 2 }), member('b'), member('c', { owed: 7, concurrency: 8 })]),
  ).toEqual({
    b: 2,
    c: 2,
  });
});

it('spreads replicas over relays that have more workers than there are replicas', () => {
  const relays = ['a', 'b', 'c', 'd'].map((id, i) => member(id, { concurrency: 250, overheadMs: 9 + i / 8 }));
  expect(Object.values(counts(256, relays)).every((count) => Math.abs(count - 64) < 4)).toBe(true);
});
