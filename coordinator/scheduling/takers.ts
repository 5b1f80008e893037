import type { CoordinatorEffect } from '../state/messages.js';
import {
  firstFilled,
  isLoaded,
  knows,
  preferConfirming,
  preferIdle,
  preferMeasured,
  preferNotLate,
  preferResponsive,
  someOf,
} from './candidates.js';
import { dispatch, dispatchAmong } from './dispatch.js';
import { ableWorkers, activeWorkers, type SchedulingState, type WorkerRecord } from './scheduling-state.js';
import {
  acceptTrusted,
  type DistributedStep,
  isDisputed,
  missingAssignees,
  needsThisMachine,
  refresh,
  type Task,
} from './step-tasks.js';

/** Finds takers for all tasks that have too few. */
export function serveAll(part: SchedulingState, step: DistributedStep, nowMs: number): CoordinatorEffect[] {
  if (step.unassigned.size === 0) return [];
  const active = activeWorkers(part);
  return [...step.unassigned].flatMap((task) => serve(part, step, task, active, nowMs));
}

/** Of thousands of workers, all are looked at only where there is a leaf for each. */
function enoughFor(
  part: SchedulingState,
  { range }: Task,
  workers: readonly WorkerRecord[],
): readonly WorkerRecord[] {
  return range.to - range.from < workers.length ? someOf(part, workers) : workers;
}

/** Finds takers for a task that has too few. @param active workers that are given the leaves of steps */
function serve(
  part: SchedulingState,
  step: DistributedStep,
  task: Task,
  active: readonly WorkerRecord[],
  nowMs: number,
): CoordinatorEffect[] {
  if (missingAssignees(task) === 0) {
    refresh(step, task);
    return [];
  }
  const best = (workers: readonly WorkerRecord[]): readonly WorkerRecord[] =>
    preferMeasured(preferIdle(preferNotLate(preferResponsive(workers, nowMs)), step));
  if (task.assignees.length === 0 && task.answers.length === 0)
    return dispatchAmong(part, step, task, best(enoughFor(part, task, active)), nowMs);
  if (acceptTrusted(step, task, nowMs)) return [];
  const isOwn = step.recheck?.by === 'this-machine' || needsThisMachine(task);
  const mayConfirm = (worker: WorkerRecord): boolean =>
    !knows(worker, task) && (!isOwn || worker.member.sharesMemory);
  const mayTake = (worker: WorkerRecord): boolean => mayConfirm(worker) && !isLoaded(worker, step);
  // Where nobody else can, or those have too much to do, one that has not rehearsed yet may.
  const rows = [
    () => someOf(part, active).filter(mayTake),
    () => active.filter(mayTake),
    () => ableWorkers(part).filter(mayTake),
    () => ableWorkers(part).filter(mayConfirm),
  ];
  const others = preferConfirming(part, step, firstFilled(rows), task);
  const takers = best(others);
  const taker = takers[part.random.below(takers.length)];
  if (taker !== undefined) return dispatch(step, task, taker, nowMs);
  if (isDisputed(task)) return [];
  // Nobody else could confirm it.
  task.replicas = 1;
  task.standsAlone = true;
  refresh(step, task);
  return [];
}
