import type { CoordinatorEffect } from '../state/messages.js';
import type { SchedulingState } from './scheduling-state.js';
import { type DistributedStep, isDisputed, missingAssignees, type Task } from './step-tasks.js';

/** When it is told again that a step waits; each time after twice as long. */
const TELL_FIRST_MS = 10_000;

/**
 * Tells when what members have answered does not count, and nobody is there who could confirm it or decide: for what the step
 * waits, and how long; again and again, less and less often.
 */
export function tellWaiting(
  part: SchedulingState,
  step: DistributedStep,
  nowMs: number,
): CoordinatorEffect[] {
  const stuck = [...step.unassigned].find(
    (task) => missingAssignees(task) > 0 && task.assignees.length === 0 && task.answers.length > 0,
  );
  const { waiting } = part;
  if (stuck === undefined) {
    part.waiting = undefined;
    if (waiting === undefined) return [];
    return [{ kind: 'notice', text: `step ${step.step} goes on after ${seconds(nowMs - waiting.sinceMs)}` }];
  }
  if (waiting !== undefined && nowMs < waiting.tellAtMs) return [];
  const sinceMs = waiting?.sinceMs ?? nowMs;
  const waitedMs = nowMs - sinceMs;
  part.waiting = { sinceMs, tellAtMs: nowMs + Math.max(TELL_FIRST_MS, waitedMs) };
  const long = waitedMs > 0 ? ` for ${seconds(waitedMs)}` : '';
  return [{ kind: 'notice', text: `step ${step.step} waits${long}: ${describeNeed(part, stuck)}` }];
}

/** Workers that the run waits for before its first step. */
export interface AwaitedWorkers {
  /** Workers that are ready. */
  readonly here: number;
  /** With how many it begins. */
  readonly wanted: number;
  /** How many were asked for. */
  readonly asked: number;
}

/**
 * Tells how long the run has waited for its workers, and how many are missing; again and again, less and less often.
 * @param awaited undefined: it waits for none
 */
export function tellAwaited(
  part: SchedulingState,
  awaited: AwaitedWorkers | undefined,
  nowMs: number,
): CoordinatorEffect[] {
  if (awaited === undefined || awaited.here >= awaited.wanted) {
    part.awaiting = undefined;
    return [];
  }
  part.awaiting ??= { sinceMs: nowMs, tellAtMs: nowMs + TELL_FIRST_MS };
  const { sinceMs, tellAtMs } = part.awaiting;
  if (nowMs < tellAtMs) return [];
  const waitedMs = nowMs - sinceMs;
  part.awaiting.tellAtMs = nowMs + waitedMs;
  const { here, wanted, asked } = awaited;
  const text = `the run has not begun for ${seconds(waitedMs)}: ${here} of ${wanted} workers are ready (--min-workers ${asked})`;
  return [{ kind: 'notice', text }];
}

function describeNeed({ workers }: SchedulingState, task: Task): string {
  const { from, to } = task.range;
  const leaves = `the leaves ${from} to ${to}`;
  const names = task.answers
    .map(({ memberId }) => workers.get(memberId)?.member.name ?? memberId)
    .join(' and ');
  return isDisputed(task)
    ? `${names} differ over ${leaves}, and nobody can decide between them; let another machine join`
    : `nobody can confirm what ${names} computed of ${leaves}, and it does not count without; let another machine join`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
