import { assert } from '../../shared/errors.js';
import type { LeafRange } from '../../shared/reduction/tree.js';
import type { CoordinatorEffect } from '../state/messages.js';
import { cancelOf } from './cancellations.js';
import { isIdle } from './candidates.js';
import { exchangesOf, noteExchanges } from './exchange-log.js';
import { onLate } from './lateness.js';
import { noteDistributed } from './placement.js';
import { compareRight, dropCheck } from './rehearsal-check.js';
import { openOf, type SchedulingState, type WorkerRecord } from './scheduling-state.js';
import {
  type Chosen,
  chosenAnswers,
  type DistributedStep,
  isCovered,
  rootsIn,
  type Task,
  takeOut,
} from './step-tasks.js';

/* How a distributed step ends, as a whole or in parts, and what becomes of members that still compute for it. */

/** Closes a step that is covered. @returns the answers that count, each leaf once; others are released */
export function closeStep(
  part: SchedulingState,
  nowMs: number,
): { readonly effects: CoordinatorEffect[]; readonly chosen: readonly Chosen[] } {
  const step = openOf(part);
  assert(isCovered(step), 'a step is closed before all of its leaves are in');
  step.isClosed = true;
  const closed = closeTasks(part, step, nowMs);
  step.isProven = closed.chosen.every(({ isProven }) => isProven);
  return closed;
}

/**
 * Closes a part of the step under way that is wanted before the others; with the last part the step is over.
 * @returns undefined while the part is not covered
 */
export function closeRange(
  part: SchedulingState,
  range: LeafRange,
  nowMs: number,
): ReturnType<typeof closeStep> | undefined {
  const step = openOf(part);
  const roots = rootsIn(step, range);
  const isLast = roots.length === step.roots.length;
  if (roots.some((root) => step.open.has(root)) || (isLast && !isCovered(step))) return undefined;
  if (!isLast) return closeTasks(part, takeOut(step, roots), nowMs);
  const closed = closeStep(part, nowMs);
  onStepFinished(part, nowMs);
  return closed;
}

/** What was computed again to find out who was wrong is not needed any more. */
export function closeChecks(
  part: SchedulingState,
  checks: readonly Task[],
  nowMs: number,
): CoordinatorEffect[] {
  // No part of the batch is among them, so nothing of their answers is chosen.
  const closed = { ...takeOut(openOf(part), checks), roots: [] };
  return [...closeTasks(part, closed, nowMs).effects];
}

/** @param closed a step, or the part of it that ends */
function closeTasks(
  part: SchedulingState,
  closed: DistributedStep,
  nowMs: number,
): ReturnType<typeof closeStep> {
  const cancels = noteStragglers(part, closed);
  for (const task of closed.tasks.values())
    for (const { memberId, isHedged } of task.assignees) {
      const worker = part.workers.get(memberId);
      if (isHedged && worker !== undefined) onLate(worker, nowMs);
    }
  const isChecked = part.current === closed || closed.tasks.has(part.check?.sent?.task ?? -1);
  const compares = isChecked ? compareRight(part, closed) : [];
  const { chosen, unused } = chosenAnswers(closed);
  const buffers = unused.map(({ buffer }) => buffer);
  const effects = [...compares, ...cancels];
  return { effects: buffers.length > 0 ? [...effects, { kind: 'release', buffers }] : effects, chosen };
}

/**
 * The step's sum was computed. `wasProven`: all of it rests on what this machine came to as well, or more than half of the
 * machines: of `agreeing` others.
 */
export function onStepFinished(
  part: SchedulingState,
  nowMs: number,
): { readonly wasProven: boolean; readonly agreeing?: number } {
  const { current } = part;
  part.current = undefined;
  if (current === undefined) return { wasProven: true };
  noteDistributed(part.placement, current.leaves, nowMs - current.startedMs);
  // What a replica takes is its steps: what exchanges share hardly shows.
  if (!part.settings.isLocal && current.exchanges > 0)
    noteExchanges(
      part.exchanges,
      exchangesOf(current, (id) => part.workers.get(id)?.throughput?.msPerLeaf ?? 0, nowMs),
      nowMs,
    );
  const { isProven: wasProven, recheck } = current;
  return recheck?.by === 'majority' ? { wasProven, agreeing: recheck.agreeing } : { wasProven };
}

/** Nothing of the step under way counts. */
export function abandonStep(part: SchedulingState): CoordinatorEffect[] {
  const { current } = part;
  if (current === undefined) return [];
  assert(!current.isClosed, 'a step is abandoned while its sum is being computed');
  part.current = undefined;
  part.inquiries = [];
  dropCheck(part);
  const cancels = noteStragglers(part, current);
  const answers = [...current.tasks.values()].flatMap((task) => task.answers);
  const buffers = answers.flatMap(({ partialSums }) => partialSums.map(({ buffer }) => buffer));
  return buffers.length > 0 ? [...cancels, { kind: 'release', buffers }] : cancels;
}

/**
 * A member that still computes a task of this step, or of a part of it, does so in vain. @returns cancellations, where they save
 * time and the member owes nothing else of the step
 */
function noteStragglers(
  { workers, settings, current }: SchedulingState,
  { step, tasks }: DistributedStep,
): CoordinatorEffect[] {
  const answered = new Set([...tasks.values()].flatMap(({ answers }) => answers.map((one) => one.memberId)));
  const owes = (worker: WorkerRecord): boolean =>
    current !== undefined && !current.isClosed && !isIdle(worker, current);
  const late = new Set<WorkerRecord>();
  for (const { range, assignees } of tasks.values()) {
    for (const { memberId, dispatchedMs } of assignees) {
      const worker = workers.get(memberId);
      if (worker === undefined) continue;
      worker.stragglerTasks.push({ step, range, dispatchedMs });
      // Its weights may still be on their way, and the run changes them now; if it has to cancel, they may be dropped with it.
      if (!answered.has(memberId) && !owes(worker)) worker.weightsStep = -1;
      late.add(worker);
    }
  }
  if (!settings.isLocal) return [];
  // Those that owed something else when an earlier part of the step ended.
  for (const worker of workers.values()) {
    const isLeft = worker.stragglerTasks.some(
      (task) => task.step === step && task.rehearsal === undefined && task.cancel === undefined,
    );
    if (late.has(worker) || !isLeft || owes(worker)) continue;
    worker.weightsStep = -1;
    late.add(worker);
  }
  return [...late].filter((worker) => !owes(worker)).map((worker) => cancelOf(worker, step));
}
