import { describe, expect, it } from 'vitest';
import {
  addAssignee,
  addRoot,
  chosenAnswers,
  type DistributedStep,
  discardAnswers,
  isCovered,
  openStep,
  refresh,
  releaseMember,
  result,
  split,
  type Task,
  takeAnswer,
} from '../../../coordinator/scheduling/step-tasks.js';
import { type LeafRange, maximalSubtrees } from '../../../shared/reduction/tree.js';

const NO_DOUBT = (): 'none' => 'none';
const FIRST = { from: 0, to: 3 };
const SECOND = { from: 3, to: 8 };

function sums(range: LeafRange, buffer = 0): { node: { level: number; index: number }; buffer: number }[] {
  return maximalSubtrees(range, 8).map((node, i) => ({ node, buffer: buffer + i }));
}

function give(current: DistributedStep, task: Task, memberId: string): void {
  addAssignee(current, task, {
    ...{ memberId, isTrusted: memberId === 'local', doubt: 'none', dispatchedMs: 0, dueMs: 9, isAlone: true },
    isHedged: false,
  });
}

/** Step 5: `a` has the first leaves, `b` the others. */
function opened(replicas = 1): DistributedStep {
  const current = openStep(5, 8, 0, {
    doubtIn: NO_DOUBT,
    isDecidedHere: false,
    recheck: undefined,
    codec: undefined,
  });
  give(current, addRoot(current, FIRST, replicas), 'a');
  give(current, addRoot(current, SECOND, 1), 'b');
  return current;
}

function answer(
  current: DistributedStep,
  memberId: string,
  range: LeafRange,
  buffer = 0,
): ReturnType<typeof takeAnswer> {
  return takeAnswer(
    current,
    { memberId, isTrusted: memberId === 'local', doubt: 'none', partialSums: sums(range, buffer) },
    5,
    range,
  );
}

/** Sets the hashes of a comparison. */
function hashes(current: DistributedStep, of: Record<string, string>): void {
  const [task] = current.roots as [Task];
  for (const one of task.answers) one.hash = of[one.memberId];
  refresh(current, task);
}

function chosen(current: DistributedStep): string[] {
  return chosenAnswers(current).chosen.map(({ answer }) => answer.memberId);
}

describe('a distributed step', () => {
  it('is covered once every share is answered with exactly its subtrees', () => {
    const current = opened();
    expect(answer(current, 'b', SECOND)).toMatchObject({ assignee: { memberId: 'b' } });
    expect(isCovered(current)).toBe(false);
    answer(current, 'a', FIRST);
    expect(isCovered(current)).toBe(true);
    expect(chosen(current)).toEqual(['a', 'b']);
  });

  it.each([
    ['of another step', 'a', 4, FIRST, sums(FIRST), 'another-step'],
    ['of a member without a task', 'c', 5, FIRST, sums(FIRST), 'not-owed'],
    ['of the range of another member', 'a', 5, SECOND, sums(SECOND), 'not-owed'],
    ['of a part of the range', 'a', 5, { from: 0, to: 2 }, sums({ from: 0, to: 2 }), 'not-owed'],
    ['with a subtree missing', 'a', 5, FIRST, sums(FIRST).slice(1), 'wrong-nodes'],
    ['with a subtree too many', 'a', 5, FIRST, [...sums(FIRST), ...sums(SECOND)], 'wrong-nodes'],
    ['with its subtrees in another order', 'a', 5, FIRST, sums(FIRST).reverse(), 'wrong-nodes'],
    [
      'with smaller subtrees',
      'a',
      5,
      FIRST,
      [0, 1, 2].map((index) => ({ node: { level: 0, index }, buffer: 0 })),
      'wrong-nodes',
    ],
  ])('refuses an answer %s, and is not changed by it', (_what, memberId, step, range, partialSums, why) => {
    const current = opened();
    expect(takeAnswer(current, { memberId, isTrusted: false, doubt: 'none', partialSums }, step, range)).toBe(
      why,
    );
    expect(current).toEqual(opened());
  });

  it('counts an answer once', () => {
    const current = opened();
    answer(current, 'a', FIRST);
    expect(answer(current, 'a', FIRST)).toBe('not-owed');
  });

  it('keeps the answers of a departed member, and has its open tasks unassigned', () => {
    const current = opened();
    answer(current, 'a', FIRST);
    releaseMember(current, 'a');
    releaseMember(current, 'b');
    expect([...current.unassigned].map(({ range }) => range)).toEqual([SECOND]);
    give(current, current.roots[1] as Task, 'c');
    expect(current.unassigned.size).toBe(0);
    answer(current, 'c', SECOND);
    expect(chosen(current)).toEqual(['a', 'c']);
  });
});

describe('a task that is overdue', () => {
  /** The task of `b` is split among two others. */
  function splitTask(): DistributedStep {
    const current = opened();
    answer(current, 'a', FIRST);
    const parts = split(current, current.roots[1] as Task, [
      { from: 3, to: 5 },
      { from: 5, to: 8 },
    ]);
    give(current, parts[0] as Task, 'c');
    give(current, parts[1] as Task, 'd');
    return current;
  }

  it('counts by its subtasks when they are answered first, and not a second time as a whole', () => {
    const current = splitTask();
    answer(current, 'c', { from: 3, to: 5 });
    expect(isCovered(current)).toBe(false);
    answer(current, 'd', { from: 5, to: 8 });
    expect(isCovered(current)).toBe(true);
    expect(answer(current, 'b', SECOND)).toBe('superfluous');
    expect(chosen(current)).toEqual(['a', 'c', 'd']);
  });

  it('counts as a whole when that is answered first; the answer of a subtask is unused', () => {
    const current = splitTask();
    answer(current, 'c', { from: 3, to: 5 }, 70);
    answer(current, 'b', SECOND);
    expect(isCovered(current)).toBe(true);
    expect(answer(current, 'd', { from: 5, to: 8 })).toBe('superfluous');
    expect(chosen(current)).toEqual(['a', 'b']);
    expect(chosenAnswers(current).unused.map(({ buffer }) => buffer)).toEqual([70, 71]);
  });
});

describe('a task that is audited', () => {
  /** The task of `a` needs a second answer; `b` is done. */
  function audited(second = 'c'): DistributedStep {
    const current = opened(2);
    answer(current, 'b', SECOND);
    expect([...current.unassigned]).toEqual([current.roots[0]]);
    give(current, current.roots[0] as Task, second);
    answer(current, 'a', FIRST, 50);
    expect(isCovered(current)).toBe(false);
    answer(current, second, FIRST, 60);
    expect(isCovered(current)).toBe(false);
    return current;
  }

  it('counts when two answers have equal bits', () => {
    const current = audited();
    hashes(current, { a: 'x', c: 'x' });
    expect(isCovered(current)).toBe(true);
    expect(chosenAnswers(current).unused.map(({ buffer }) => buffer)).toEqual([60, 61]);
  });

  it('needs a third answer when two differ; the answer that nobody shares does not count', () => {
    const current = audited();
    hashes(current, { a: 'x', c: 'y' });
    expect(isCovered(current)).toBe(false);
    expect([...current.unassigned]).toEqual([current.roots[0]]);
    give(current, current.roots[0] as Task, 'd');
    answer(current, 'd', FIRST);
    hashes(current, { a: 'x', c: 'y', d: 'y' });
    expect(isCovered(current)).toBe(true);
    expect(chosen(current)).toEqual(['c', 'b']);
  });

  it('is decided by the answer of a local worker', () => {
    const current = audited('local');
    hashes(current, { a: 'x', local: 'y' });
    expect(chosen(current)).toEqual(['local', 'b']);
  });

  it('discards all answers of a member', () => {
    const current = opened();
    answer(current, 'a', FIRST, 50);
    answer(current, 'b', SECOND);
    expect(discardAnswers(current, 'a').map(({ buffer }) => buffer)).toEqual([50, 51]);
    expect(isCovered(current)).toBe(false);
    expect([...current.unassigned]).toEqual([current.roots[0]]);
  });
});

describe('members in doubt that have agreed on what to say', () => {
  /** Both have answered all leaves of a step with the same bits. */
  function agreed(isDecidedHere: boolean, doubts: readonly ('none' | 'some' | 'full')[]): DistributedStep {
    const rules = { doubtIn: NO_DOUBT, isDecidedHere, recheck: undefined, codec: undefined };
    const current = openStep(5, 8, 0, rules);
    const task = addRoot(current, { from: 0, to: 8 }, 1);
    for (const [i, doubt] of doubts.entries()) {
      const memberId = ['a', 'b'][i] as string;
      addAssignee(current, task, {
        ...{ memberId, isTrusted: false, doubt, dispatchedMs: 0, dueMs: 9, isAlone: true },
        isHedged: false,
      });
      const partialSums = sums(task.range, 10 * i);
      takeAnswer(current, { memberId, isTrusted: false, doubt, partialSums }, 5, task.range);
    }
    hashes(current, { a: 'same', b: 'same' });
    return current;
  }

  it.each([
    ['full', 'full'],
    ['some', 'some'],
    ['full', 'some'],
  ] as const)('confirm nothing where this machine computes: %s and %s', (one, other) => {
    const current = agreed(true, [one, other]);
    expect(isCovered(current)).toBe(false);
    expect(current.unassigned.size).toBe(1);
    give(current, current.roots[0] as Task, 'local');
    answer(current, 'local', { from: 0, to: 8 }, 50);
    hashes(current, { a: 'same', b: 'same', local: 'right' });
    expect(chosen(current)).toEqual(['local']);
  });

  it('confirm each other where it computes nothing, or when one of them is believed', () => {
    expect(isCovered(agreed(false, ['full', 'full']))).toBe(true);
    expect(isCovered(agreed(true, ['full', 'none']))).toBe(true);
  });

  it('do not outvote an honest member where this machine computes', () => {
    const current = agreed(true, ['none', 'none']);
    const task = addRoot(current, { from: 0, to: 8 }, 2);
    for (const memberId of ['a', 'b', 'c']) {
      give(current, task, memberId);
      const partialSums = sums(task.range);
      takeAnswer(current, { memberId, isTrusted: false, doubt: 'none', partialSums }, 5, task.range);
    }
    for (const one of task.answers) one.hash = one.memberId === 'c' ? 'right' : 'wrong';
    refresh(current, task);
    expect(result(task)).toBeUndefined();
    give(current, task, 'local');
    takeAnswer(
      current,
      { memberId: 'local', isTrusted: true, doubt: 'none', partialSums: sums(task.range) },
      5,
      task.range,
    );
    for (const one of task.answers) one.hash = 'cl'.includes(one.memberId[0] as string) ? 'right' : 'wrong';
    expect(result(task)).toMatchObject({ memberId: 'local' });
  });
});
