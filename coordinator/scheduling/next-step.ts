import type { LeafRange } from '../../shared/reduction/tree.js';
import { announce } from './announcement.js';
import type { Capacity } from './assignment.js';
import { chooseNextRound } from './next-round.js';
import {
  aloneMsPerLeaf,
  type DataSending,
  decide,
  isAloneSettled,
  isDataWorthwhile,
  localThreads,
  worthTrying,
} from './placement.js';
import { fetchData, rehearseSome, WIRE_MS_PER_MB } from './rehearsal.js';
import {
  activeWorkers,
  choosesHelpers,
  hasHelp,
  isStraggler,
  readyWorkers,
  type SchedulingState,
  type WorkerRecord,
  warmUpRehearsals,
} from './scheduling-state.js';
import type { NextStep, StepAhead } from './step-ahead.js';
import { capacities } from './throughput.js';

/** While helpers are in use, local threads alone are measured again: not more often than this ... */
const REMEASURE_LEAST_MS = 10_000;
/** ... over this time, or one step where that is longer ... */
const REMEASURE_FOR_MS = 50;
/** A member that has not requested the data that it was told to fetch for so long is not counted on. */
const STALLED_MS = 5000;
/** ... and for this part of the time at most. */
const REMEASURE_PART = 0.01;
/**
 * While all are on standby, whether to use them is considered so often: it takes 10 microseconds, and an execution that an epoch of a
 * few steps ends is as short as a hundred.
 */
const CONSIDER_MS = 2;
/** How long local threads work alone while all helpers are stragglers. */
const AWAIT_STRAGGLERS_MS = 25;

/**
 * Chooses how the next step is done, rehearses members on standby, and tells both sides when a choice changes.
 */
export function chooseNextStep(part: SchedulingState, ahead: StepAhead, nowMs: number): NextStep {
  if (part.settings.isLocal) return chooseNextRound(part, ahead, nowMs);
  const { step, leaves, batch, stepsLeft } = ahead;
  const { placement } = part;
  const { leavesPerGroup } = part.settings;
  const locals = readyWorkers(part).filter(({ member }) => member.sharesMemory);
  const remotes = readyWorkers(part).filter(({ member }) => !member.sharesMemory);
  const unbounded = { effects: [], stepsMax: Number.POSITIVE_INFINITY };
  if (remotes.length === 0) return { ...unbounded, isDistributed: false };
  if (!choosesHelpers(part)) {
    const active = new Set(activeWorkers(part));
    const others = remotes.filter((worker) => !active.has(worker));
    const isDistributed = locals.length === 0 || hasHelp(part);
    const effects = rehearseSome(part, others, { step, isDistributed }, nowMs, () =>
      share(leaves, active.size + 1, leavesPerGroup),
    );
    return { ...unbounded, effects, isDistributed };
  }
  if (placement.helpers.size === 0) {
    if (nowMs < placement.considerAtMs) return { ...unbounded, isDistributed: false };
    placement.considerAtMs = nowMs + CONSIDER_MS;
  }
  const standby = remotes.filter(({ member }) => !placement.helpers.has(member.id));
  // With helpers, the next step is a distributed one most of the time.
  const effects = rehearseSome(
    part,
    standby,
    { step, isDistributed: placement.helpers.size > 0 },
    nowMs,
    () => share(leaves, 2, leavesPerGroup),
  );
  // Local threads alone are measured first: nothing else tells what a helper is worth.
  if (!isAloneSettled(placement)) return { ...unbounded, effects, isDistributed: false };
  const msPerLeaf = aloneMsPerLeaf(placement);
  const alone = localThreads(msPerLeaf, part.settings.exchange.bytes);
  const measured = remotes.filter(({ rehearsals }) => rehearsals.answered > warmUpRehearsals(part));
  const candidates = capacities(measured);
  const able = candidates.filter((_, i) => measured[i]?.member.hasData);
  const reason = decide(placement, batch.leaves, alone, able, stepsLeft, nowMs);
  if (reason !== undefined) {
    seedLocalThroughput(locals, msPerLeaf);
    const names = remotes
      .filter(({ member }) => placement.helpers.has(member.id))
      .map(({ member }) => member.name);
    effects.push({ kind: 'report', event: { event: 'placement', step, helpers: names, reason } });
  }
  // One that was told to fetch the data and does not keeps nobody else from being told.
  const willing = candidates.filter((_, i) => !isStalled(measured[i] as WorkerRecord));
  const wanted = worthTrying(placement, batch.leaves, alone, willing);
  const lacking = wanted?.helpers.filter(({ id }) => !part.workers.get(id)?.member.hasData) ?? [];
  if (
    wanted !== undefined &&
    isDataWorthwhile(wanted, msPerLeaf * batch.leaves, stepsLeft, dataSending(part.settings, lacking))
  )
    for (const { id } of lacking) effects.push(...fetchData(part.workers.get(id) as WorkerRecord));
  for (const [i, worker] of measured.entries())
    effects.push(...announce(part, worker, { step, batch }, alone, candidates[i] as Capacity, nowMs));
  const helpers = measured.filter(({ member }) => placement.helpers.has(member.id));
  if (helpers.length === 0) return { effects, isDistributed: false, stepsMax: Number.POSITIVE_INFINITY };
  const aloneMs = msPerLeaf * leaves;
  const remeasured = stepsWithin(REMEASURE_FOR_MS, aloneMs);
  if (nowMs - placement.aloneAtMs > Math.max(REMEASURE_LEAST_MS, (remeasured * aloneMs) / REMEASURE_PART))
    return { effects, isDistributed: false, stepsMax: remeasured };
  if (!helpers.every(isStraggler)) return { effects, isDistributed: true, stepsMax: 1 };
  return { effects, isDistributed: false, stepsMax: stepsWithin(AWAIT_STRAGGLERS_MS, aloneMs) };
}

/** It was told to fetch the data, and has not requested any for a while. */
function isStalled({ isFetching, member }: WorkerRecord): boolean {
  return isFetching && member.preparedMs > STALLED_MS;
}

/** What it takes to send members the data. @param lacking members that lack it */
function dataSending(
  { data, exchange }: SchedulingState['settings'],
  lacking: readonly Capacity[],
): DataSending {
  const bytes = data.samples * data.recordBytes;
  // An exchange takes at least as long as its bytes do; members are served in turn.
  const slowestMs = Math.max(0, ...lacking.map(({ overheadMs }) => overheadMs));
  return {
    costMs: lacking.length * (bytes / 1e6) * WIRE_MS_PER_MB,
    transferMs: (slowestMs / exchange.bytes) * bytes,
  };
}

function stepsWithin(ms: number, stepMs: number): number {
  return Math.max(1, Math.floor(ms / stepMs));
}

/** The assignment of the first distributed step needs to know how fast local workers are. */
function seedLocalThroughput(locals: readonly WorkerRecord[], aloneMsPerLeaf: number): void {
  const threads = locals.reduce((sum, { member }) => sum + member.threads, 0);
  for (const worker of locals) {
    const msPerLeaf = (aloneMsPerLeaf * threads) / worker.member.threads;
    worker.throughput ??= { msPerLeaf, overheadMs: 0.1, deviationMs: msPerLeaf };
  }
}

/** The last of so many shares of the leaves, whole groups; at least one group. */
function share(leaves: number, shares: number, leavesPerGroup: number): LeafRange {
  const groups = Math.ceil(leaves / leavesPerGroup);
  return { from: Math.floor(Math.min(groups - 1, groups * (1 - 1 / shares))) * leavesPerGroup, to: leaves };
}
