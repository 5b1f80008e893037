import type { CoordinatorEffect } from '../state/messages.js';
import { isIdle, knows, preferMeasured, preferResponsive, someOf } from './candidates.js';
import { dispatch, dispatchAmong } from './dispatch.js';
import {
  ableWorkers,
  activeWorkers,
  isStraggler,
  type SchedulingState,
  type WorkerRecord,
} from './scheduling-state.js';
import { acceptTrusted, type DistributedStep, isNeeded, needsThisMachine, type Task } from './step-tasks.js';

/** How long to wait for a worker to become idle before looking again. */
const NOBODY_IDLE_MS = 25;

/**
 * Most workers that help in one step: at least so many, or for this part of its shares. Where more are late, what they share is slow,
 * such as the link of this machine, and every helper makes it slower.
 */
const HELPERS_LEAST = 16;
const HELPERS_PART = 1 / 4;

/**
 * Gives the tasks of stragglers to idle workers as well; the first answer counts. Does nothing before an answer is overdue, nor before
 * this machine is woken for it: by then it has read what had arrived.
 */
export function hedge(part: SchedulingState, step: DistributedStep, nowMs: number): CoordinatorEffect[] {
  if (nowMs < step.nextDueMs || part.wakeAtMs !== Number.POSITIVE_INFINITY) return [];
  const overdue = [...step.tasks.values()].filter((task) => isOverdue(step, task, nowMs));
  const tasks = overdue.filter((task) => !acceptTrusted(step, task, nowMs));
  const isFree = (worker: WorkerRecord): boolean => !isStraggler(worker) && isIdle(worker, step);
  // Where all that are given work owe something, one that was late before is better than none.
  const active = activeWorkers(part).filter(isFree);
  const free = active.length > 0 ? active : ableWorkers(part).filter(isFree);
  const helpersMax = Math.max(HELPERS_LEAST, HELPERS_PART * step.roots.length);
  let idle = enough(part, preferMeasured(preferResponsive(free, nowMs)));
  const effects: CoordinatorEffect[] = [];
  for (const [i, task] of tasks.entries()) {
    // The other overdue tasks get their part of the help.
    const most = Math.min(Math.ceil(idle.length / (tasks.length - i)), helpersMax - step.helpers);
    const isOwn = needsThisMachine(task) || (step.recheck?.by === 'this-machine' && task.answers.length > 0);
    const helpers = idle
      .filter((worker) => !knows(worker, task) && (!isOwn || worker.member.sharesMemory))
      .slice(0, Math.max(0, most));
    if (helpers.length === 0) continue;
    idle = idle.filter((worker) => !helpers.includes(worker));
    step.helpers += helpers.length;
    effects.push(...dispatchAgain(part, step, task, helpers, nowMs));
  }
  step.nextDueMs = nextDueMs(step, nowMs);
  return effects;
}

/** Of thousands of idle workers some help at a time, and all that are local: others when the next answer is overdue. */
function enough(part: SchedulingState, idle: readonly WorkerRecord[]): readonly WorkerRecord[] {
  const some = someOf(part, idle);
  if (some.length === idle.length) return idle;
  return [...new Set([...idle.filter(({ member }) => member.sharesMemory), ...some])];
}

/** Asks for a wake-up when the next answer is overdue. */
export function wakeWhenDue(
  part: SchedulingState,
  { nextDueMs }: DistributedStep,
  nowMs: number,
): CoordinatorEffect[] {
  if (nextDueMs === Number.POSITIVE_INFINITY || part.wakeAtMs <= nextDueMs) return [];
  part.wakeAtMs = nextDueMs;
  return [{ kind: 'wake', afterMs: Math.max(1, Math.ceil(nextDueMs - nowMs)) }];
}

function dispatchAgain(
  part: SchedulingState,
  current: DistributedStep,
  task: Task,
  helpers: readonly WorkerRecord[],
  nowMs: number,
): CoordinatorEffect[] {
  const { from, to } = task.range;
  const late = task.assignees
    .map(({ memberId }) => part.workers.get(memberId)?.member.name ?? memberId)
    .join(', ');
  const event = { event: 'hedge', step: current.step, from, to, late, helpers: helpers.length } as const;
  for (const assignee of task.assignees) assignee.isHedged = true;
  // Answers that are to be compared must be of the same range.
  const isCompared = task.replicas > 1 || task.answers.length > 0;
  // A local worker is believed without another.
  const local = helpers.find(({ member }) => member.sharesMemory);
  const dispatched = isCompared
    ? dispatch(current, task, local ?? (helpers[0] as WorkerRecord), nowMs)
    : dispatchAmong(part, current, task, helpers, nowMs);
  return [{ kind: 'report', event }, ...dispatched];
}

function isOverdue(step: DistributedStep, task: Task, nowMs: number): boolean {
  const isLate = task.assignees.some(({ dueMs, isHedged }) => !isHedged && dueMs <= nowMs);
  return (isLate || isStuck(task)) && task.subtasks.length === 0 && isNeeded(step, task);
}

/** A task has some of its answers, and only members that were late already owe the others: they may never answer. */
function isStuck({ answers, assignees }: Task): boolean {
  return answers.length > 0 && assignees.length > 0 && assignees.every(({ isHedged }) => isHedged);
}

function nextDueMs(step: DistributedStep, nowMs: number): number {
  let next = Number.POSITIVE_INFINITY;
  for (const task of step.tasks.values()) {
    if (isStuck(task) && isNeeded(step, task)) next = Math.min(next, nowMs + NOBODY_IDLE_MS);
    for (const { dueMs, isHedged } of task.assignees)
      if (!isHedged) next = Math.min(next, dueMs > nowMs ? dueMs : nowMs + NOBODY_IDLE_MS);
  }
  return next;
}
