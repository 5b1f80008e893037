import { exchangedNodes } from '../../shared/reduction/shards.js';
import type { LeafRange } from '../../shared/reduction/tree.js';
import type { CoordinatorEffect } from '../state/messages.js';
import { isIdle } from './candidates.js';
import { dropCheck, mayCheck, planCheck, workerToCheck } from './rehearsal-check.js';
import {
  activeWorkers,
  choosesHelpers,
  isStraggler,
  type SchedulingState,
  type StragglerTask,
  type WorkerRecord,
  warmUpRehearsals,
} from './scheduling-state.js';
import type { DistributedStep, Task } from './step-tasks.js';

/*
 * Rehearsals: a member that takes no part in steps is given tasks whose answers nobody needs, for others compute the same
 * leaves. What a rehearsal costs is the wire; what it shows is that the member answers, its throughput and its overhead. The
 * first chunk of the data suffices for it: the others are sent when the member is going to be given work. Where somebody who is
 * believed computes the same leaves, the answer is checked too; see rehearsal-check.ts.
 */

/** Time between the first two rehearsals that count; the next ones are further and further apart. */
const REHEARSE_FIRST_MS = 250;
const REHEARSE_MOST_MS = 30_000;
/** Rehearsals of one member take this part of the coordinator's time at most, and those of all this, by the time of their bytes ... */
const REHEARSE_PART = 0.01;
const REHEARSE_ALL_PART = 0.05;
/** ... sent and received: what a core needs for them, with room for a slow one. */
export const WIRE_MS_PER_MB = 2;
/** How much of the time of all may be used at once, after a time without rehearsals. */
const REHEARSE_AHEAD_MS = 500;
/**
 * Answers of a rehearsal before the one that counts: a machine that has been idle is three times as slow at first (measured), and
 * one that works is what a step would have.
 */
const WARMING_ANSWERS = 2;
/** Rehearsals at a time, more by a part of those who have rehearsed; and how long one is awaited before another takes its place. */
const REHEARSALS_LEAST = 8;
const REHEARSALS_PART = 1 / 4;
const REHEARSAL_AWAITED_MS = 2000;

/**
 * Rehearses workers that take no part in steps. Of those that never answer, only a few are awaited at a time. One that is to be
 * checked waits for the step that begins now, if that is a distributed one.
 * @param rangeOf the leaves of a rehearsal
 */
export function rehearseSome(
  part: SchedulingState,
  workers: readonly WorkerRecord[],
  { step, isDistributed }: { readonly step: number; readonly isDistributed: boolean },
  nowMs: number,
  rangeOf: () => LeafRange,
): CoordinatorEffect[] {
  const due = workers.filter(
    (worker) => !worker.isFetching && !isStraggler(worker) && nowMs >= worker.rehearsals.nextAtMs,
  );
  if (due.length === 0) return [];
  const underWay = workers.filter(({ stragglerTasks: [task] }) => {
    return task?.rehearsal && nowMs - task.dispatchedMs < REHEARSAL_AWAITED_MS;
  }).length;
  const range = rangeOf();
  const most = Math.max(REHEARSALS_LEAST, REHEARSALS_PART * activeWorkers(part).length);
  // Who has waited for the longest time comes first, so nobody is left out for good.
  const inTurn = due.sort((a, b) => a.rehearsals.nextAtMs - b.rehearsals.nextAtMs);
  const some = inTurn.slice(0, Math.min(Math.max(0, most - underWay), affordable(part, nowMs)));
  part.rehearsalTime.leftMs -= some.length * costMs(part);
  const checked = isDistributed ? some.find((worker) => mayCheck(part, worker, nowMs)) : undefined;
  if (checked !== undefined) planCheck(part, checked, range.to - range.from, nowMs);
  return some.flatMap((worker) => (worker === checked ? [] : rehearse(part, worker, step, range, nowMs)));
}

/**
 * The checked rehearsal of the step that begins, once its leaves are dispatched: of a task that this machine has, or of one that is
 * audited, or else a rehearsal that is not checked.
 */
export function rehearseChecked(
  part: SchedulingState,
  current: DistributedStep,
  nowMs: number,
): CoordinatorEffect[] {
  const { check } = part;
  const worker = workerToCheck(part);
  if (check === undefined || worker === undefined) return [];
  if (isStraggler(worker) || !isIdle(worker, current)) {
    dropCheck(part);
    return [];
  }
  const { step, leaves, codec, roots } = current;
  const isOwn = ({ assignees }: Task): boolean => assignees.some(({ isTrusted }) => isTrusted);
  const task = roots.findLast(isOwn) ?? roots.find(({ replicas }) => replicas > 1);
  if (task === undefined) {
    dropCheck(part);
    return rehearse(part, worker, step, { from: Math.max(0, leaves - check.leaves), to: leaves }, nowMs);
  }
  const { range } = task;
  const nodes = exchangedNodes(range, leaves, codec?.shardLevel);
  check.sent = { step, range, task: task.id, nodes, deliveries: worker.deliveries + 1 };
  return rehearse(part, worker, step, range, nowMs);
}

function rehearse(
  part: SchedulingState,
  worker: WorkerRecord,
  step: number,
  range: LeafRange,
  nowMs: number,
): CoordinatorEffect[] {
  const { member } = worker;
  const isChecked = part.check?.memberId === member.id && part.check.sent?.step === step;
  scheduleNext(part, worker, nowMs);
  const warming = isChecked ? 0 : warmingAnswers(part);
  return send(part, worker, { step, range, dispatchedMs: nowMs, rehearsal: { warming } }, isChecked);
}

/** A rehearsal was answered whose answer only warms the member up: it follows again at once. */
export function rehearseAgain(
  part: SchedulingState,
  worker: WorkerRecord,
  { step, range, rehearsal }: StragglerTask,
  nowMs: number,
): CoordinatorEffect[] {
  const warming = (rehearsal?.warming ?? 0) - 1;
  return send(part, worker, { step, range, dispatchedMs: nowMs, rehearsal: { warming } }, false);
}

function send(
  part: SchedulingState,
  worker: WorkerRecord,
  task: StragglerTask,
  isChecked: boolean,
): CoordinatorEffect[] {
  const { member } = worker;
  const { step, range } = task;
  worker.stragglerTasks.push(task);
  worker.answersDue += 1;
  worker.deliveries += 1;
  const work = { kind: 'work', step, range } as const;
  // With a codec a helper is usually sent an update, so that is what is measured, once the member has weights.
  if (part.settings.hasCodec && worker.rehearsals.answered > 0 && !isChecked) {
    const message = { ...work, weights: false, update: 'rehearse', rehearses: true } as const;
    return [{ kind: 'send', id: member.id, message, attachment: 'update' }];
  }
  // The run goes on while they are sent: they may be of several steps, unless they are kept.
  worker.weightsStep = -1;
  const message = { ...work, weights: true, rehearses: true } as const;
  return [{ kind: 'send', id: member.id, message, attachment: isChecked ? 'kept-weights' : 'weights' }];
}

/** How many rehearsals there is time for now. Another one may begin as long as there is any time left. */
function affordable(part: SchedulingState, nowMs: number): number {
  const { leftMs, atMs } = part.rehearsalTime;
  const earnedMs = (nowMs - atMs) * REHEARSE_ALL_PART;
  part.rehearsalTime = { leftMs: Math.min(leftMs + earnedMs, REHEARSE_AHEAD_MS), atMs: nowMs };
  return Math.max(0, Math.ceil(part.rehearsalTime.leftMs / costMs(part)));
}

/** What the bytes of a rehearsal take of the coordinator's time. */
function costMs(part: SchedulingState): number {
  return (part.settings.exchange.bytes / 1e6) * WIRE_MS_PER_MB * (1 + warmingAnswers(part));
}

/** A replica takes so long that what is slow at first hardly shows; and where all take part in any case, speed matters less. */
function warmingAnswers(part: SchedulingState): number {
  return choosesHelpers(part) && !part.settings.isLocal ? WARMING_ANSWERS : 0;
}

/** The rehearsals that warm up follow each other at once; those that count double their distance. */
function scheduleNext(part: SchedulingState, { rehearsals }: WorkerRecord, nowMs: number): void {
  if (rehearsals.answered < warmUpRehearsals(part)) {
    rehearsals.nextAtMs = nowMs;
    return;
  }
  const least = Math.max(REHEARSE_FIRST_MS, costMs(part) / REHEARSE_PART);
  rehearsals.delayMs = Math.max(least, Math.min(2 * rehearsals.delayMs, REHEARSE_MOST_MS));
  rehearsals.nextAtMs = nowMs + rehearsals.delayMs;
}

/** Tells a member that is going to be given work to fetch the data that it lacks, once. */
export function fetchData(worker: WorkerRecord): CoordinatorEffect[] {
  const { member } = worker;
  if (member.hasData || worker.isFetching) return [];
  worker.isFetching = true;
  return [{ kind: 'send', id: member.id, message: { kind: 'fetch' }, attachment: 'none' }];
}

/** A member is ready, or has all data now. It is sent the data at once where it is given work for certain. */
export function onMemberReady(part: SchedulingState, id: string): CoordinatorEffect[] {
  const worker = part.workers.get(id) as WorkerRecord;
  part.ready.add(id);
  if (worker.member.hasData) {
    part.able.add(id);
    worker.isFetching = false;
  }
  return choosesHelpers(part) ? [] : fetchData(worker);
}
