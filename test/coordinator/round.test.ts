import { describe, expect, it } from 'vitest';
import { adopt, isCovered, openRound, releaseMember, takeAnswer } from '../../coordinator/round.js';
import { maximalSubtrees, type Range } from '../../shared/sum/leaves.js';

const FIRST = { from: 0, to: 3 };
const SECOND = { from: 3, to: 8 };
const SHARES = [
  { memberId: 'a', range: FIRST },
  { memberId: 'b', range: SECOND },
];

function sums(range: Range): { node: { level: number; index: number }; slot: number }[] {
  return maximalSubtrees(range, 8).map((node, slot) => ({ node, slot }));
}

describe('a round', () => {
  it('is covered once every share was answered with exactly its subtrees', () => {
    const round = openRound(5, 8, SHARES);
    expect(takeAnswer(round, 'b', 5, SECOND, sums(SECOND))).toBeUndefined();
    expect(isCovered(round)).toBe(false);
    expect(takeAnswer(round, 'a', 5, FIRST, sums(FIRST))).toBeUndefined();
    expect(isCovered(round)).toBe(true);
    expect(round.arrived).toEqual([...sums(SECOND), ...sums(FIRST)]);
  });

  it.each([
    ['of another step', 'a', 4, FIRST, sums(FIRST), 'another-step'],
    ['of a stranger', 'c', 5, FIRST, sums(FIRST), 'not-owed'],
    ["of another's range", 'a', 5, SECOND, sums(SECOND), 'not-owed'],
    ['of a part of the range', 'a', 5, { from: 0, to: 2 }, sums({ from: 0, to: 2 }), 'not-owed'],
    ['with a subtree missing', 'a', 5, FIRST, sums(FIRST).slice(1), 'wrong-nodes'],
    ['with a subtree too many', 'a', 5, FIRST, [...sums(FIRST), ...sums(SECOND)], 'wrong-nodes'],
    ['with its subtrees in another order', 'a', 5, FIRST, sums(FIRST).reverse(), 'wrong-nodes'],
    [
      'with smaller subtrees',
      'a',
      5,
      FIRST,
      [0, 1, 2].map((index) => ({ node: { level: 0, index }, slot: 0 })),
      'wrong-nodes',
    ],
  ])('refuses an answer %s, and is not changed by it', (_what, member, step, range, partials, why) => {
    const round = openRound(5, 8, SHARES);
    expect(takeAnswer(round, member, step, range, partials)).toBe(why);
    expect(round).toEqual(openRound(5, 8, SHARES));
  });

  it('counts an answer once', () => {
    const round = openRound(5, 8, SHARES);
    takeAnswer(round, 'a', 5, FIRST, sums(FIRST));
    expect(takeAnswer(round, 'a', 5, FIRST, sums(FIRST))).toBe('not-owed');
    expect(round.arrived).toHaveLength(2);
  });

  it('keeps what a departed member has answered, and orphans what it owes until that is handed out', () => {
    const round = openRound(5, 8, [...SHARES.slice(0, 1), { memberId: 'a', range: { from: 3, to: 5 } }]);
    takeAnswer(round, 'a', 5, FIRST, sums(FIRST));
    releaseMember(round, 'a');
    expect(round.orphaned).toEqual([{ from: 3, to: 5 }]);
    expect(isCovered(round)).toBe(false);
    adopt(round, [{ memberId: 'b', range: { from: 3, to: 5 } }]);
    expect(round).toMatchObject({ orphaned: [], owed: [{ memberId: 'b' }] });
    expect(takeAnswer(round, 'b', 5, { from: 3, to: 5 }, sums({ from: 3, to: 5 }))).toBeUndefined();
    expect(isCovered(round)).toBe(true);
  });
});
