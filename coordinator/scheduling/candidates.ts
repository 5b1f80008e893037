import { trustIn } from '../state/member.js';
import { chosenCount } from './exchange-log.js';
import { isStraggler, type SchedulingState, type WorkerRecord } from './scheduling-state.js';
import type { DistributedStep, Task } from './step-tasks.js';
import { meanMsPerLeaf } from './throughput.js';

/*
 * Who is the best choice for a task. Each rule narrows a list to the workers that are preferable in one respect, and leaves
 * it whole when there are none.
 */

type Workers = readonly WorkerRecord[];

/** A member that has been silent for so long has missed a ping and may be gone: a little over two sweeps. */
const QUIET_MS = 1200;

/** Workers that owe nothing of earlier steps. */
export function preferNotLate(workers: Workers): Workers {
  return prefer(workers, (worker) => !isStraggler(worker));
}

/** Workers that were heard from lately. */
export function preferResponsive(workers: Workers, nowMs: number): Workers {
  return prefer(workers, ({ member }) => member.sharesMemory || nowMs - member.heardAtMs < QUIET_MS);
}

/**
 * Workers that have answered before. A worker that has not may be slow to begin with, or never answer, so it should not
 * make up for others.
 */
export function preferMeasured(workers: Workers): Workers {
  return prefer(workers, ({ throughput }) => throughput !== undefined);
}

/** Where this machine's link is full with fewer, only as many as make the step fastest: those that compute fast first. */
export function usefulWorkers(
  { exchanges }: Pick<SchedulingState, 'exchanges'>,
  leaves: number,
  workers: Workers,
): Workers {
  const count = chosenCount(exchanges, leaves * meanMsPerLeaf(workers), workers.length);
  if (count === workers.length) return workers;
  const slowness = ({ throughput }: WorkerRecord): number =>
    throughput === undefined ? Number.POSITIVE_INFINITY : Math.round(Math.log2(throughput.msPerLeaf));
  return [...workers].sort((a, b) => slowness(a) - slowness(b)).slice(0, count);
}

/** Tasks of a step that a member owes when others confirm answers too. */
const CONFIRMING_MAX = 8;

/**
 * Workers that should confirm an answer: members that are believed, as long as they have not too much to do, rather than
 * others; and other machines rather than the one that has answered.
 */
export function preferConfirming(
  { workers: records }: Pick<SchedulingState, 'workers'>,
  step: DistributedStep,
  workers: Workers,
  { assignees, answers }: Task,
): Workers {
  const machines = [...assignees, ...answers].map(
    ({ memberId }) => records.get(memberId)?.member.standing.machine,
  );
  const isBelieved = (worker: WorkerRecord): boolean =>
    ['trusted', 'proven'].includes(trustIn(worker.member)) && !isLoaded(worker, step);
  const believed = prefer(workers, isBelieved);
  return prefer(believed, ({ member }) => !machines.includes(member.standing.machine));
}

/** Of so many workers some are looked at: an audited step of thousands would otherwise look at each of them for each of its tasks. */
const LOOKED_AT_MAX = 64;

/** Some workers, the next ones from a random one on; all where they are few. */
export function someOf({ random }: Pick<SchedulingState, 'random'>, workers: Workers): Workers {
  if (workers.length <= LOOKED_AT_MAX) return workers;
  const first = random.below(workers.length);
  return [
    ...workers.slice(first, first + LOOKED_AT_MAX),
    ...workers.slice(0, Math.max(0, first + LOOKED_AT_MAX - workers.length)),
  ];
}

/** The first of these lists in which somebody is. */
export function firstFilled(rows: readonly (() => Workers)[]): Workers {
  for (const row of rows) {
    const workers = row();
    if (workers.length > 0) return workers;
  }
  return [];
}

/** Workers that owe nothing in this step. */
export function preferIdle(workers: Workers, step: DistributedStep): Workers {
  return prefer(workers, (worker) => isIdle(worker, step));
}

/** A worker has nothing to do in this step. */
export function isIdle({ member }: WorkerRecord, { held }: DistributedStep): boolean {
  return (held.get(member.id)?.length ?? 0) === 0;
}

/** A worker has so much to do in this step that it should not confirm others too. */
export function isLoaded({ member }: WorkerRecord, { held }: DistributedStep): boolean {
  return (held.get(member.id)?.length ?? 0) >= CONFIRMING_MAX;
}

/** A worker computes this task, or has done so: it cannot confirm its own answer. */
export function knows({ member }: WorkerRecord, { assignees, answers }: Task): boolean {
  return [...assignees, ...answers].some(({ memberId }) => memberId === member.id);
}

function prefer(workers: Workers, isPreferable: (worker: WorkerRecord) => boolean): Workers {
  const preferable = workers.filter(isPreferable);
  return preferable.length > 0 ? preferable : workers;
}
