import { describe, expect, it } from 'vitest';
import { harvest } from '../../coordinator/harvest.js';
import {
  addRoot,
  cutUp,
  disown,
  hold,
  isCovered,
  openRound,
  type Round,
  refresh,
  releaseMember,
  type Task,
  takeAnswer,
} from '../../coordinator/round.js';
import { maximalSubtrees, type Range } from '../../shared/sum/leaves.js';

const FIRST = { from: 0, to: 3 };
const SECOND = { from: 3, to: 8 };

function sums(range: Range, slot = 0): { node: { level: number; index: number }; slot: number }[] {
  return maximalSubtrees(range, 8).map((node, i) => ({ node, slot: slot + i }));
}

function give(round: Round, task: Task, memberId: string): void {
  hold(round, task, { memberId, handedMs: 0, dueMs: 9, isAlone: true, isHedged: false });
}

/** Step 5: `a` has the first leaves, `b` the others. */
function opened(wanted = 1): Round {
  const round = openRound(5, 8);
  give(round, addRoot(round, FIRST, wanted), 'a');
  give(round, addRoot(round, SECOND, 1), 'b');
  return round;
}

function answer(round: Round, memberId: string, range: Range, slot = 0): ReturnType<typeof takeAnswer> {
  return takeAnswer(
    round,
    { memberId, isTrusted: memberId === 'local', partials: sums(range, slot) },
    5,
    range,
  );
}

/** What a comparison brings to light. */
function hashes(round: Round, of: Record<string, string>): void {
  const [task] = round.roots as [Task];
  for (const one of task.answers) one.hash = of[one.memberId];
  refresh(round, task);
}

function chosen(round: Round): string[] {
  return harvest(round).chosen.map(({ answer }) => answer.memberId);
}

describe('a round', () => {
  it('is covered once every share was answered with exactly its subtrees', () => {
    const round = opened();
    expect(answer(round, 'b', SECOND)).toMatchObject({ holder: { memberId: 'b' } });
    expect(isCovered(round)).toBe(false);
    answer(round, 'a', FIRST);
    expect(isCovered(round)).toBe(true);
    expect(chosen(round)).toEqual(['a', 'b']);
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
  ])('refuses an answer %s, and is not changed by it', (_what, memberId, step, range, partials, why) => {
    const round = opened();
    expect(takeAnswer(round, { memberId, isTrusted: false, partials }, step, range)).toBe(why);
    expect(round).toEqual(opened());
  });

  it('counts an answer once', () => {
    const round = opened();
    answer(round, 'a', FIRST);
    expect(answer(round, 'a', FIRST)).toBe('not-owed');
  });

  it('keeps what a departed member has answered, and needs somebody for what it owes', () => {
    const round = opened();
    answer(round, 'a', FIRST);
    releaseMember(round, 'a');
    releaseMember(round, 'b');
    expect([...round.needy].map(({ range }) => range)).toEqual([SECOND]);
    give(round, round.roots[1] as Task, 'c');
    expect(round.needy.size).toBe(0);
    answer(round, 'c', SECOND);
    expect(chosen(round)).toEqual(['a', 'c']);
  });
});

describe('a task that is late', () => {
  /** What `b` is late with was cut among two others. */
  function cut(): Round {
    const round = opened();
    answer(round, 'a', FIRST);
    const parts = cutUp(round, round.roots[1] as Task, [
      { from: 3, to: 5 },
      { from: 5, to: 8 },
    ]);
    give(round, parts[0] as Task, 'c');
    give(round, parts[1] as Task, 'd');
    return round;
  }

  it('counts by its parts when they are in first, and not a second time by the whole', () => {
    const round = cut();
    answer(round, 'c', { from: 3, to: 5 });
    expect(isCovered(round)).toBe(false);
    answer(round, 'd', { from: 5, to: 8 });
    expect(isCovered(round)).toBe(true);
    expect(answer(round, 'b', SECOND)).toBe('superfluous');
    expect(chosen(round)).toEqual(['a', 'c', 'd']);
  });

  it('counts by the whole when that is in first; a part that was done for it is idle', () => {
    const round = cut();
    answer(round, 'c', { from: 3, to: 5 }, 70);
    answer(round, 'b', SECOND);
    expect(isCovered(round)).toBe(true);
    expect(answer(round, 'd', { from: 5, to: 8 })).toBe('superfluous');
    expect(chosen(round)).toEqual(['a', 'b']);
    expect(harvest(round).idle.map(({ slot }) => slot)).toEqual([70, 71]);
  });
});

describe('a task that is audited', () => {
  /** What `a` has is wanted a second time; `b` is done. */
  function audited(second = 'c'): Round {
    const round = opened(2);
    answer(round, 'b', SECOND);
    expect([...round.needy]).toEqual([round.roots[0]]);
    give(round, round.roots[0] as Task, second);
    answer(round, 'a', FIRST, 50);
    expect(isCovered(round)).toBe(false);
    answer(round, second, FIRST, 60);
    expect(isCovered(round)).toBe(false);
    return round;
  }

  it('counts when two came to the same bits', () => {
    const round = audited();
    hashes(round, { a: 'x', c: 'x' });
    expect(isCovered(round)).toBe(true);
    expect(harvest(round).idle.map(({ slot }) => slot)).toEqual([60, 61]);
  });

  it('needs a third when they differ; whoever is alone with its bits does not count', () => {
    const round = audited();
    hashes(round, { a: 'x', c: 'y' });
    expect(isCovered(round)).toBe(false);
    expect([...round.needy]).toEqual([round.roots[0]]);
    give(round, round.roots[0] as Task, 'd');
    answer(round, 'd', FIRST);
    hashes(round, { a: 'x', c: 'y', d: 'y' });
    expect(isCovered(round)).toBe(true);
    expect(chosen(round)).toEqual(['c', 'b']);
  });

  it('takes the word of the own machine for it', () => {
    const round = audited('local');
    hashes(round, { a: 'x', local: 'y' });
    expect(chosen(round)).toEqual(['local', 'b']);
  });

  it('forgets everything that a liar has said', () => {
    const round = opened();
    answer(round, 'a', FIRST, 50);
    answer(round, 'b', SECOND);
    expect(disown(round, 'a').map(({ slot }) => slot)).toEqual([50, 51]);
    expect(isCovered(round)).toBe(false);
    expect([...round.needy]).toEqual([round.roots[0]]);
  });
});
