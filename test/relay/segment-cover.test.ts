import { expect, it } from 'vitest';
import {
  addAssignee,
  addRoot,
  type DistributedStep,
  openStep,
  split,
  type Task,
  takeAnswer,
} from '../../coordinator/scheduling/step-tasks.js';
import { coverOf } from '../../relay/segment-cover.js';

const WHOLE = { from: 0, to: 4 };

function openedStep(): DistributedStep {
  const parts = { isDecidedHere: false, recheck: undefined, codec: undefined };
  return openStep(0, 4, 0, { doubtIn: () => 'none', ...parts });
}

function give(step: DistributedStep, task: Task, memberId: string): void {
  const times = { dispatchedMs: 0, dueMs: 10, isAlone: true, isHedged: false };
  addAssignee(step, task, { memberId, isTrusted: false, doubt: 'none', ...times });
}

/** The buffers that cover the step, where these members are sending theirs. */
function cover(step: DistributedStep, sending: Readonly<Record<string, readonly number[]>>): unknown {
  return coverOf(step, WHOLE, (id) => sending[id])?.map(({ node, buffer }) => [node, buffer]);
}

it('takes answers, and what is being sent of the others', () => {
  const step = openedStep();
  const roots = [addRoot(step, { from: 0, to: 1 }, 1), addRoot(step, { from: 1, to: 4 }, 1)];
  for (const [i, root] of roots.entries()) give(step, root, `m${i}`);
  expect(cover(step, { m0: [1] })).toBeUndefined();
  const partialSums = [{ node: { level: 0, index: 0 }, buffer: 7 }];
  takeAnswer(step, { memberId: 'm0', isTrusted: false, doubt: 'none', partialSums }, 0, { from: 0, to: 1 });
  expect(cover(step, { m1: [8, 9] })).toEqual([
    [{ level: 0, index: 0 }, 7],
    [{ level: 0, index: 1 }, 8],
    [{ level: 1, index: 1 }, 9],
  ]);
});

it('takes what others are sending of a task that was split among them', () => {
  const step = openedStep();
  const root = addRoot(step, WHOLE, 1);
  give(step, root, 'late');
  const halves = [
    { from: 0, to: 2 },
    { from: 2, to: 4 },
  ];
  for (const [i, part] of split(step, root, halves).entries()) give(step, part, `m${i}`);
  expect(cover(step, { m0: [1] })).toBeUndefined();
  expect(cover(step, { m0: [1], m1: [2] })).toEqual([
    [{ level: 1, index: 0 }, 1],
    [{ level: 1, index: 1 }, 2],
  ]);
  expect(cover(step, { m0: [1], m1: [2], late: [3] })).toEqual([[{ level: 2, index: 0 }, 3]]);
});
