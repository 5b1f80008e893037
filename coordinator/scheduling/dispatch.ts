import { QUEUE_MAX } from '../../shared/protocol/limits.js';
import type { Work } from '../../shared/protocol/messages.js';
import type { LeafRange } from '../../shared/reduction/tree.js';
import { trustIn } from '../state/member.js';
import type { CoordinatorEffect } from '../state/messages.js';
import { assign, type Capacity } from './assignment.js';
import { cancelOf } from './cancellations.js';
import { isStraggler, type SchedulingState, type WorkerRecord } from './scheduling-state.js';
import { addAssignee, type DistributedStep, split, type Task } from './step-tasks.js';
import { capacities, hedgeDelayMs, loadOf } from './throughput.js';
import { assignWhole } from './whole-assignment.js';

/** Gives a task to some workers, in subtasks when there is enough of it for several. */
export function dispatchAmong(
  { settings, workers }: SchedulingState,
  step: DistributedStep,
  task: Task,
  takers: readonly WorkerRecord[],
  nowMs: number,
): CoordinatorEffect[] {
  if (takers.length === 0) return [];
  const members = capacities(takers).map((one) => ({ ...one, owed: owedLeaves(step, one.id) }));
  // It begins with more when it has done what it owes.
  const later = ({ owed, ...one }: (typeof members)[number]): Capacity => ({
    ...one,
    overheadMs: one.overheadMs + owed * one.msPerLeaf,
  });
  const { shares } = settings.isLocal
    ? assignWhole(task.range, members)
    : assign(task.range, members.map(later), settings.leavesPerGroup);
  const ranges = shares.map(({ range }) => range);
  const tasks = shares.length > 1 ? split(step, task, ranges) : [task];
  return shares.flatMap(({ memberId }, i) =>
    dispatch(step, tasks[i] as Task, workers.get(memberId) as WorkerRecord, nowMs),
  );
}

/** How many leaves of a step a member has not answered. */
function owedLeaves({ held }: DistributedStep, memberId: string): number {
  return (held.get(memberId) ?? []).reduce((sum, { range }) => sum + range.to - range.from, 0);
}

/** Gives a task to a worker. */
export function dispatch(
  current: DistributedStep,
  task: Task,
  worker: WorkerRecord,
  nowMs: number,
): CoordinatorEffect[] {
  const { member } = worker;
  const { step, leaves, codec } = current;
  const { range } = task;
  const owed = current.held.get(member.id) ?? [];
  const isAlone = owed.length === 0 && !isStraggler(worker);
  const cancels = owed.length > 0 ? [] : voidWaiting(worker, step);
  worker.answersDue = Math.min(worker.answersDue + 1, QUEUE_MAX);
  // Local threads all end a step together: nothing is won by doing the work of one of them a second time.
  const dueMs = member.sharesMemory
    ? Number.POSITIVE_INFINITY
    : nowMs +
      hedgeDelayMs(
        worker.throughput,
        loadOf([...owed.map(({ range }) => range), range], leaves, codec?.shardLevel),
      );
  const doubt = current.doubtIn(trustIn(member));
  addAssignee(current, task, {
    ...{ memberId: member.id, isTrusted: member.sharesMemory, doubt, dispatchedMs: nowMs, dueMs, isAlone },
    isHedged: false,
  });
  const attachment = attachmentFor(current, worker);
  if (attachment !== 'none') worker.deliveries += 1;
  worker.weightsStep = step;
  const work = {
    kind: 'send',
    id: member.id,
    message: workMessage(step, range, attachment),
    attachment,
  } as const;
  return [...cancels, work];
}

/**
 * What still waits for its turn at a worker is void as soon as the worker hears of another step. Of a step that is computed again it
 * would come, or not, beside the new answers: so the worker is told to give it up, and to say when it has.
 */
function voidWaiting(worker: WorkerRecord, step: number): CoordinatorEffect[] {
  worker.stragglerTasks = worker.stragglerTasks.filter((task, i) => i === 0 || task.step === step);
  const isAgain = worker.stragglerTasks.filter(({ cancel }) => cancel === undefined).length > 1;
  return isAgain ? [cancelOf(worker, step)] : [];
}

/** What goes with the first task that a worker is given in a step. */
function attachmentFor(
  { step, codec }: DistributedStep,
  worker: WorkerRecord,
): 'none' | 'weights' | 'update' {
  if (worker.member.sharesMemory || worker.weightsStep === step) return 'none';
  // A straggler may not have applied the update before this one: whole weights replace whatever waits there.
  const isNext = worker.weightsStep === step - 1 && !isStraggler(worker);
  return codec?.hasUpdate && isNext ? 'update' : 'weights';
}

function workMessage(step: number, range: LeafRange, attachment: 'none' | 'weights' | 'update'): Work {
  const work = { kind: 'work', step, range, weights: attachment === 'weights' } as const;
  return attachment === 'update' ? { ...work, update: 'apply' } : work;
}
