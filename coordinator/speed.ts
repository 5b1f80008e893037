import type { Capacity } from './assignment.js';

/** What was measured of a member's answers, smoothed. */
export interface Speed {
  /** Time on its threads, by its own account. */
  readonly msPerLeaf: number;
  /** From being handed a share to its answer, without the time on its threads. */
  readonly overheadMs: number;
  /** How far answers are from what was expected, on average. */
  readonly deviationMs: number;
}

/** One answer. */
export interface Timing {
  readonly leaves: number;
  /** By the member's own account. */
  readonly computeMs: number;
  /** From being handed the share to its answer, by the coordinator's clock. */
  readonly elapsedMs: number;
}

/** Weight of the newest answer in a smoothed figure. */
const NEWEST = 1 / 4;
/** One answer counts as at most so many times slower or faster than before: a single hitch must not turn a run over. */
const OUTLIER = 2;
/** No member computes a leaf faster, whatever it says. */
const MS_PER_LEAF_MIN = 1e-4;
/** A member that seemed a hundred times too slow is tried again after some 230 steps. */
const FORGIVENESS = 0.98;
/** Beyond what was expected, an answer may take this part of it, or this many mean deviations if that is more ... */
const LATE_PART = 1 / 4;
const LATE_DEVIATIONS = 4;
/** ... and this long in any case, as timers and schedulers need it. */
const LATE_MS = 5;
/** Nor longer than this many times what was expected, however unsteady a member is. */
const LATE_MOST = 4;
/** How long a member's first answer may take: its threads compile, its weights come. */
const FIRST_ANSWER_MS = 1500;

/** What is known of a member after one more answer. */
export function measure(before: Speed | undefined, { leaves, computeMs, elapsedMs }: Timing): Speed {
  const computed = Math.min(computeMs, elapsedMs);
  const msPerLeaf = Math.max(computed / leaves, MS_PER_LEAF_MIN);
  const overheadMs = elapsedMs - computed;
  if (before === undefined) return { msPerLeaf, overheadMs, deviationMs: elapsedMs / 4 };
  const deviationMs = Math.abs(elapsedMs - expectedMs(before, leaves));
  return {
    msPerLeaf: smooth(before.msPerLeaf, within(before.msPerLeaf, msPerLeaf)),
    overheadMs: smooth(before.overheadMs, Math.min(overheadMs, OUTLIER * before.overheadMs + LATE_MS)),
    deviationMs: smooth(before.deviationMs, Math.min(deviationMs, OUTLIER * expectedMs(before, leaves))),
  };
}

/**
 * What is thought of a member that was given nothing, for it was too slow: a little better each step, so that it gets
 * another chance. Whoever is late all the same holds nobody up.
 */
export function forgive({ msPerLeaf, overheadMs, deviationMs }: Speed): Speed {
  return {
    msPerLeaf: msPerLeaf * FORGIVENESS,
    overheadMs: overheadMs * FORGIVENESS,
    deviationMs: deviationMs * FORGIVENESS,
  };
}

/** How long a member has for so many leaves before they are given to another as well. */
export function patienceMs(speed: Speed | undefined, leaves: number): number {
  if (speed === undefined) return FIRST_ANSWER_MS;
  const expected = expectedMs(speed, leaves);
  const late = Math.max(expected * LATE_PART, speed.deviationMs * LATE_DEVIATIONS);
  return Math.min(expected + late, expected * LATE_MOST) + LATE_MS;
}

/**
 * The members as the assignment sees them. Of one that has not answered yet is expected what the others do per
 * thread, on average; as long as nobody has, that threads are alike.
 */
export function capacities(
  members: readonly (Pick<Capacity, 'id' | 'name'> & {
    readonly threads: number;
    readonly speed: Speed | undefined;
  })[],
): Capacity[] {
  let measured = 0;
  let threadMs = 0;
  let overheadMs = 0;
  for (const { threads, speed } of members) {
    if (speed === undefined) continue;
    measured += 1;
    threadMs += speed.msPerLeaf * threads;
    overheadMs += speed.overheadMs;
  }
  const typical =
    measured === 0
      ? { threadMs: 1, overheadMs: 0 }
      : { threadMs: threadMs / measured, overheadMs: overheadMs / measured };
  return members.map(({ id, name, threads, speed }) =>
    speed === undefined
      ? { id, name, msPerLeaf: typical.threadMs / threads, overheadMs: typical.overheadMs }
      : { id, name, msPerLeaf: speed.msPerLeaf, overheadMs: speed.overheadMs },
  );
}

function expectedMs({ msPerLeaf, overheadMs }: Speed, leaves: number): number {
  return overheadMs + msPerLeaf * leaves;
}

function smooth(before: number, newest: number): number {
  return before + NEWEST * (newest - before);
}

function within(before: number, newest: number): number {
  return Math.min(Math.max(newest, before / OUTLIER), before * OUTLIER);
}
