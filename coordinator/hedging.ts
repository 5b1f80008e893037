import {
  audibleFirst,
  hand,
  isPrompt,
  knows,
  owesNothing,
  provenFirst,
  readyMembers,
  share,
} from './handing.js';
import type { CoordinatorEffect } from './messages.js';
import { isWanted, type Round, refresh, type Task } from './round.js';
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
  const late = [...round.tasks.values()].filter((task) => isLate(state, round, task));
  const tasks = late.filter((task) => !takeAtItsWord(state, round, task));
  const free = readyMembers(state).filter((member) => isPrompt(member) && owesNothing(round, member));
  let idle = provenFirst(audibleFirst(state, free));
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

/**
 * What was computed here needs nobody to confirm it: the answer counts as soon as all others who have the task are late,
 * for what they say will not count. @returns whether it does
 */
export function takeAtItsWord({ nowMs }: CoordinatorState, round: Round, task: Task): boolean {
  const isLate = task.holders.every(({ dueMs }) => dueMs <= nowMs);
  if (!isLate || !task.answers.some(({ isTrusted }) => isTrusted)) return false;
  task.wanted = 1;
  refresh(round, task);
  return true;
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
  if (!whole) return share(state, task, helpers, effects);
  // Whoever lives here is believed without another.
  const helper = helpers.find(({ sharesMemory }) => sharesMemory) ?? (helpers[0] as Member);
  hand(state, task, helper, effects);
}

function isLate({ nowMs }: CoordinatorState, round: Round, task: Task): boolean {
  const isOver = task.holders.some(({ dueMs, isHedged }) => !isHedged && dueMs <= nowMs);
  return isOver && task.parts.length === 0 && isWanted(round, task);
}

function nextDue({ nowMs }: CoordinatorState, round: Round): number {
  let next = Number.POSITIVE_INFINITY;
  for (const { holders } of round.tasks.values()) {
    for (const { dueMs, isHedged } of holders)
      if (!isHedged) next = Math.min(next, dueMs > nowMs ? dueMs : nowMs + NOBODY_FREE_MS);
  }
  return next;
}
