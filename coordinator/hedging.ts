import { hand, isPrompt, knows, owesNothing, readyMembers, share } from './handing.js';
import type { CoordinatorEffect } from './messages.js';
import { isWanted, type Round, type Task } from './round.js';
import type { CoordinatorState, Member } from './state.js';

/** How long to wait for someone who is free to help out, before looking again. */
const NOBODY_FREE_MS = 25;

/**
 * Gives what is late to those who have nothing to do, as well: the first answer counts. Does nothing before someone
 * is due.
 */
export function hedge(state: CoordinatorState, effects: CoordinatorEffect[]): void {
  const round = state.round as Round;
  if (state.nowMs < round.nextDueMs) return;
  const tasks = [...round.tasks.values()].filter((task) => isLate(state, round, task));
  let idle: readonly Member[] = readyMembers(state).filter(
    (member) => isPrompt(member) && owesNothing(round, member),
  );
  for (const [i, task] of tasks.entries()) {
    // Whoever else is late is to get its part of the help.
    const most = Math.ceil(idle.length / (tasks.length - i));
    const helpers = idle.filter((member) => !knows(task, member)).slice(0, most);
    if (helpers.length === 0) continue;
    idle = idle.filter((member) => !helpers.includes(member));
    giveToo(state, task, helpers, effects);
  }
  round.nextDueMs = nextDue(state, round);
}

/** When the coordinator has to look for late members again. */
export function wakeInTime(state: CoordinatorState, effects: CoordinatorEffect[]): void {
  const { nextDueMs } = state.round as Round;
  if (nextDueMs === Number.POSITIVE_INFINITY || state.wakeAtMs <= nextDueMs) return;
  state.wakeAtMs = nextDueMs;
  effects.push({ kind: 'wake', afterMs: Math.max(1, Math.ceil(nextDueMs - state.nowMs)) });
}

function giveToo(
  state: CoordinatorState,
  task: Task,
  helpers: readonly Member[],
  effects: CoordinatorEffect[],
): void {
  const { from, to } = task.range;
  const late = task.holders.map(({ memberId }) => state.members.get(memberId)?.name ?? memberId).join(', ');
  const event = { event: 'hedge', step: state.step, from, to, late, helpers: helpers.length } as const;
  effects.push({ kind: 'report', event });
  for (const holder of task.holders) holder.isHedged = true;
  // Answers that are to be compared must be of the same range.
  const whole = task.wanted > 1 || task.answers.length > 0;
  if (whole) hand(state, task, helpers[0] as Member, effects);
  else share(state, task, helpers, effects);
}

function isLate({ nowMs }: CoordinatorState, round: Round, task: Task): boolean {
  const isOver = task.holders.some(({ dueMs, isHedged }) => !isHedged && dueMs <= nowMs);
  return isOver && task.parts.length === 0 && isWanted(round, task);
}

function nextDue({ nowMs }: CoordinatorState, round: Round): number {
  let next = Number.POSITIVE_INFINITY;
  for (const { holders } of round.tasks.values()) {
    for (const { dueMs, isHedged } of holders)
      if (!isHedged) next = Math.min(next, Math.max(dueMs, nowMs + NOBODY_FREE_MS));
  }
  return next;
}
