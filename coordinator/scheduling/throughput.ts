import { exchangedNodes } from '../../shared/reduction/shards.js';
import type { LeafRange } from '../../shared/reduction/tree.js';
import type { Member } from '../state/member.js';
import { type Capacity, overheadTimes } from './assignment.js';

/** What was measured of a member's answers, smoothed. */
export interface Throughput {
  /** Time on its threads, as the member reports it. */
  readonly msPerLeaf: number;
  /** From dispatch to an answer with one partial sum, without the time on its threads. */
  readonly overheadMs: number;
  /** Mean deviation of answers from the expected time. */
  readonly deviationMs: number;
  /** How many leaves it computes at a time, each in `msPerLeaf`, as it says: of a relay, replicas. Left out: 1. */
  readonly concurrency?: number;
}

/** What a member is asked for. */
export interface Load {
  readonly leaves: number;
  /** Partial sums of the answer. */
  readonly vectors: number;
}

/** One answer. */
export interface Timing extends Load {
  /** As the member reports it. */
  readonly computeMs: number;
  /** From dispatch to answer, by the coordinator's clock. */
  readonly elapsedMs: number;
  /** Time that moving bytes takes of the cores that compute. It does not grow with the leaves. */
  readonly movingMs: number;
  /** As the member says; left out: 1. */
  readonly concurrency?: number | undefined;
}

/** Weight of the newest answer in a smoothed value. */
const NEWEST = 1 / 4;
/** One answer counts as at most so many times slower or faster than before: a single hitch must not change the whole assignment. */
const OUTLIER = 2;
/** Of a reported time, moving bytes took this part at most: a member with a core to spare computes meanwhile. */
const MOVING_MOST = 1 / 2;
/** No member computes a leaf faster, whatever it reports. */
const MS_PER_LEAF_MIN = 1e-4;
/** A member that seemed a hundred times too slow is tried again after some 230 steps. */
const PENALTY_DECAY = 0.98;
/** Beyond what was expected, an answer may take this part of it, or this many mean deviations if that is more ... */
const LATE_PART = 1 / 4;
const LATE_DEVIATIONS = 4;
/** ... and this long in any case, as timers and schedulers need it. */
const LATE_MS = 5;
/** Nor longer than this many times what was expected, however unsteady a member is. */
const LATE_MOST = 4;
/** How long a member's first answer may take: its threads compile, its weights come. */
const FIRST_ANSWER_MS = 1500;

/** What it is to compute some ranges of a step of so many leaves. */
export function loadOf(ranges: readonly LeafRange[], leaves: number, shardLevel: number | undefined): Load {
  const sum = (numberOf: (range: LeafRange) => number): number =>
    ranges.reduce((total, range) => total + numberOf(range), 0);
  return {
    leaves: sum(({ from, to }) => to - from),
    vectors: sum((range) => exchangedNodes(range, leaves, shardLevel).length),
  };
}

/** The throughput of a member after one more answer. */
export function measure(
  before: Throughput | undefined,
  { leaves, vectors, computeMs, elapsedMs, movingMs, concurrency }: Timing,
): Throughput {
  const said = concurrency !== undefined && { concurrency };
  const reported = Math.min(computeMs, elapsedMs);
  const computed = Math.max(reported - movingMs, MOVING_MOST * reported);
  const msPerLeaf = Math.max(computed / leaves, MS_PER_LEAF_MIN);
  const overheadMs = (elapsedMs - computed) / overheadTimes(vectors);
  if (before === undefined) return { msPerLeaf, overheadMs, deviationMs: elapsedMs / 4, ...said };
  const deviationMs = Math.abs(elapsedMs - expectedMs(before, { leaves, vectors }));
  return {
    msPerLeaf: smooth(before.msPerLeaf, within(before.msPerLeaf, msPerLeaf)),
    overheadMs: smooth(before.overheadMs, Math.min(overheadMs, OUTLIER * before.overheadMs + LATE_MS)),
    deviationMs: smooth(
      before.deviationMs,
      Math.min(deviationMs, OUTLIER * expectedMs(before, { leaves, vectors })),
    ),
    ...said,
  };
}

/**
 * The throughput that is assumed of a member that was given nothing because it was too slow. It rises a little each step,
 * so that the member is tried again. If it is late then, hedging bounds the delay.
 */
export function decayPenalty({ msPerLeaf, overheadMs, deviationMs, ...others }: Throughput): Throughput {
  return {
    ...others,
    msPerLeaf: msPerLeaf * PENALTY_DECAY,
    overheadMs: overheadMs * PENALTY_DECAY,
    deviationMs: deviationMs * PENALTY_DECAY,
  };
}

/** How long a member has for so much before its leaves are given to idle members as well. */
export function hedgeDelayMs(throughput: Throughput | undefined, load: Load): number {
  if (throughput === undefined) return FIRST_ANSWER_MS;
  const expected = expectedMs(throughput, load);
  const late = Math.max(expected * LATE_PART, throughput.deviationMs * LATE_DEVIATIONS);
  return Math.min(expected + late, expected * LATE_MOST) + LATE_MS;
}

/** How long a member is expected to take for so much; infinity: nothing is known of it. */
export function expectedMs(throughput: Throughput | undefined, { leaves, vectors }: Load): number {
  if (throughput === undefined) return Number.POSITIVE_INFINITY;
  const { overheadMs, msPerLeaf, concurrency = 1 } = throughput;
  return overheadMs * overheadTimes(vectors) + msPerLeaf * Math.ceil(leaves / concurrency);
}

/**
 * The members as the assignment sees them. A member that has not answered yet is assumed to do what the others do per thread,
 * on average; as long as none has answered, all threads are assumed alike.
 */
export function capacities(
  workers: readonly {
    readonly member: Pick<Member, 'id' | 'name' | 'threads'>;
    readonly throughput: Throughput | undefined;
  }[],
): Capacity[] {
  const measured = workers.flatMap(({ member, throughput }) =>
    throughput === undefined ? [] : [{ ...throughput, threads: member.threads }],
  );
  const typical = {
    threadMs: meanOf(measured.map(({ msPerLeaf, threads }) => msPerLeaf * threads)) ?? 1,
    overheadMs: meanOf(measured.map(({ overheadMs }) => overheadMs)) ?? 0,
  };
  return workers.map(({ member: { id, name, threads }, throughput }) =>
    throughput === undefined
      ? { id, name, msPerLeaf: typical.threadMs / threads, overheadMs: typical.overheadMs }
      : { id, name, ...throughput },
  );
}

/** Time of a leaf at one of these workers, on average; 0: nothing is known of them. */
export function meanMsPerLeaf(workers: readonly { readonly throughput: Throughput | undefined }[]): number {
  return (
    meanOf(workers.flatMap(({ throughput }) => (throughput === undefined ? [] : [throughput.msPerLeaf]))) ?? 0
  );
}

function meanOf(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function smooth(before: number, newest: number): number {
  return before + NEWEST * (newest - before);
}

function within(before: number, newest: number): number {
  return Math.min(Math.max(newest, before / OUTLIER), before * OUTLIER);
}
