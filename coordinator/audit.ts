import { refuse } from './dismissal.js';
import { nameOf } from './handing.js';
import type { Compared, CoordinatorEffect } from './messages.js';
import { revert } from './reversal.js';
import { disown, isDisputed, refresh, result, type Task } from './round.js';
import type { CoordinatorState } from './state.js';

/**
 * Answers to the same task were compared. Where they differ, the one that was computed on the coordinator's own
 * machine is right, or else the first that two agree on; as long as there is neither, another member is asked. Whoever
 * said something else is expelled: all that it has said in this step is computed anew by others, and where earlier steps
 * rest on what it said, they are too (see reversal.ts).
 */
export function compared(
  state: CoordinatorState,
  { step, task: id, hashes, parameter }: Compared,
  effects: CoordinatorEffect[],
): void {
  const { round } = state;
  const task = round?.step === step ? round.tasks.get(id) : undefined;
  if (round === undefined || task === undefined) return;
  for (const answer of task.answers)
    answer.hash = hashes.find(({ memberId }) => memberId === answer.memberId)?.hash;
  if (isDisputed(task)) judge(state, task, parameter as string, effects);
  refresh(round, task);
}

function judge(state: CoordinatorState, task: Task, parameter: string, effects: CoordinatorEffect[]): void {
  const right = result(task);
  if (right === undefined) {
    const { from, to } = task.range;
    const text = `two members differ over the leaves ${from} to ${to} of step ${state.step}: a third is asked`;
    effects.push({ kind: 'notice', text });
    return;
  }
  // What is known now needs no further confirmation.
  task.wanted = 1;
  for (const { memberId, hash } of task.answers.filter((answer) => answer.hash !== right.hash))
    expel(
      state,
      task,
      { memberId, hash: hash as string, rightHash: right.hash as string, parameter },
      effects,
    );
}

function expel(
  state: CoordinatorState,
  { range }: Task,
  { memberId, ...receipt }: { memberId: string; hash: string; rightHash: string; parameter: string },
  effects: CoordinatorEffect[],
): void {
  const { step, round } = state;
  if (round !== undefined) {
    const slots = disown(round, memberId).map(({ slot }) => slot);
    effects.push({ kind: 'release', slots });
  }
  const member = state.members.get(memberId);
  const name = nameOf(state, memberId);
  effects.push({ kind: 'report', event: { event: 'expelled', step, ...range, member: name, ...receipt } });
  const reason = `its sums over the leaves ${range.from} to ${range.to} of step ${step} are wrong, first in ${receipt.parameter}`;
  if (member !== undefined) refuse(state, member, reason, effects);
  revert(state, name, effects);
}
