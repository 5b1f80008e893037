import type { PlacementPolicy } from '../state/run-settings.js';
import { type Capacity, commonEndMs, overheadTimes } from './assignment.js';

/*
 * Which remote members are given work. A member that joins must never slow the run: local threads alone execute many steps
 * without a message, and a distributed step has to be faster than that. The choice rests on measurements: the time of a step
 * on local threads alone; each member's throughput and overhead, from rehearsals (next-step.ts); and, once a choice is in use,
 * the time that its steps really take. Members that would slow the run are on standby.
 */

/**
 * Processor time of the coordinator for what a helper sends and receives, in ms per million bytes: moving and adding it (measured).
 * Local threads have less of their cores for that time, or wait.
 */
const HELPER_MS_PER_MB = 0.7;
/** Processor time of a helper for the same bytes (measured). */
const MOVING_MS_PER_MB = 0.5;
/** A choice of helpers must be predicted faster than the one in use by this part to be tried ... */
const GAIN_LEAST = 0.05;
/** ... and measured faster than local threads alone by this part to be kept. */
const KEEP_LEAST = 0.02;
/** A choice that takes so many times as long as local threads alone is dropped after a few steps that count. */
const CLEARLY_SLOWER = 1.3;
const CLEARLY_SLOWER_STEPS = 4;
/** The first steps of a choice do not count: both sides compile and warm up, and a step takes up to twice as long (measured) ... */
const WARM_UP_STEPS = 10;
/** ... but where they take long, only for this time. */
const WARM_UP_MS = 500;
/** Time over which a choice in use is measured: a member that is stopped now and then shows within it. */
const WINDOW_MS = 1200;
/** How long a choice that was slower is not tried again; doubled each time. */
const RETRY_FIRST_MS = 2000;
const RETRY_MOST_MS = 60_000;
/** Part of the run's time so far that trials may lose before the next one waits. */
const LOSS_MOST = 0.01;
/** A trial ends when it has lost this part of the time that the whole run is expected to take: a short run has none to spare ... */
const TRIAL_LOSS_MOST = 0.015;
/** ... or this part of what it was expected to save in the steps that were left. */
const STAKE_MOST = 1 / 4;
/** A member is sent the data when it is expected to save so many times what sending takes of this machine's time. */
const DATA_WORTH_TIMES = 3;
/** Executions before the time of local threads alone counts: the first ones warm up caches and the compiler. */
const WARM_UP_EXECUTIONS = 2;
/** Local threads alone are measured over this time before others are compared with them. */
const SETTLED_MS = 300;
/** A measurement of local threads alone that is so old counts half. */
const OLD_MS = 5000;

/** What the choice rests on, and what came of it. */
export interface Placement {
  readonly policy: PlacementPolicy;
  /** Remote members that are given work; the others are on standby. */
  helpers: ReadonlySet<string>;
  /** Steps on local threads alone, everything included, over about the latest WINDOW_MS. */
  alone: StepWindow;
  /** When local threads alone were measured last. */
  aloneAtMs: number;
  /** Executions that do not count are left. */
  warmUpExecutions: number;
  /** All steps with the helpers in use, and what they may lose until these are measured. */
  trial: StepWindow & { readonly stakeMs: number };
  /** Steps with the helpers in use over about the latest WINDOW_MS, the first ones left out. */
  window: StepWindow;
  /** Time that steps have taken in all, and the part of it that helpers have cost. */
  spentMs: number;
  lostMs: number;
  /** What a choice was dropped for that was slower; undefined before, and while a choice is in use. */
  slower: { readonly withMs: number; readonly aloneMs: number } | undefined;
  /** No choice is tried before; each that was slower makes the next wait longer. */
  retryAtMs: number;
  retryDelayMs: number;
  /** While nobody is a helper, whether somebody should be is not considered before. */
  considerAtMs: number;
}

/** Steps, and what they took together. */
export interface StepWindow {
  readonly steps: number;
  /** Of all of these steps together. */
  readonly leaves: number;
  readonly elapsedMs: number;
}

const EMPTY: StepWindow = { steps: 0, leaves: 0, elapsedMs: 0 };

/** Nothing is measured yet; no helpers. */
export function initialPlacement(policy: PlacementPolicy): Placement {
  return {
    policy,
    helpers: new Set(),
    alone: EMPTY,
    aloneAtMs: Number.NEGATIVE_INFINITY,
    warmUpExecutions: WARM_UP_EXECUTIONS,
    trial: { ...EMPTY, stakeMs: 0 },
    window: EMPTY,
    spentMs: 0,
    lostMs: 0,
    slower: undefined,
    retryAtMs: Number.NEGATIVE_INFINITY,
    retryDelayMs: RETRY_FIRST_MS,
    considerAtMs: Number.NEGATIVE_INFINITY,
  };
}

/** Steps were executed on local threads alone. */
export function noteAlone(placement: Placement, executed: StepWindow, nowMs: number): void {
  const { elapsedMs } = executed;
  placement.spentMs += elapsedMs;
  if (placement.warmUpExecutions > 0) {
    placement.warmUpExecutions -= 1;
    return;
  }
  const isOld = nowMs - elapsedMs - placement.aloneAtMs > OLD_MS;
  placement.alone = extended(placement.alone, executed, isOld);
  placement.aloneAtMs = nowMs;
}

/** Whether local threads alone have been measured for long enough to compare others with them. */
export function isAloneSettled({ alone }: Placement): boolean {
  return alone.elapsedMs >= SETTLED_MS;
}

/** Time of a leaf on local threads alone, everything included. They must have been measured. */
export function aloneMsPerLeaf({ alone }: Placement): number {
  return alone.elapsedMs / alone.leaves;
}

/** A distributed step was done. */
export function noteDistributed(placement: Placement, leaves: number, elapsedMs: number): void {
  const { trial } = placement;
  placement.spentMs += elapsedMs;
  if (placement.alone.leaves > 0)
    placement.lostMs += Math.max(0, elapsedMs - aloneMsPerLeaf(placement) * leaves);
  const step = { steps: 1, leaves, elapsedMs };
  if (trial.steps >= WARM_UP_STEPS || trial.elapsedMs >= WARM_UP_MS)
    placement.window = extended(placement.window, step, false);
  placement.trial = { ...sumOf(trial, step), stakeMs: trial.stakeMs };
}

/** Sums over steps, in which each counts by its time and older ones less and less. */
function extended(window: StepWindow, more: StepWindow, isOld: boolean): StepWindow {
  return sumOf(window, more, isOld || window.elapsedMs > WINDOW_MS ? 1 / 2 : 1);
}

function sumOf(window: StepWindow, more: StepWindow, kept = 1): StepWindow {
  return {
    steps: kept * window.steps + more.steps,
    leaves: kept * window.leaves + more.leaves,
    elapsedMs: kept * window.elapsedMs + more.elapsedMs,
  };
}

/** The coordinator's own threads, as a member without overhead. */
export interface LocalThreads extends Capacity {
  /** Time that they lose for each helper. */
  readonly helperMs: number;
}

/** Local threads that take so long for a leaf, where a helper exchanges so many bytes. */
export function localThreads(msPerLeaf: number, exchangeBytes: number): LocalThreads {
  const helperMs = movingMs(exchangeBytes, { helpers: 1 });
  return { id: 'local', name: 'local', msPerLeaf, overheadMs: 0, helperMs };
}

/** Time that moving bytes takes of a member's cores, for an answer with so many partial sums, or for so many helpers. */
export function movingMs(exchangeBytes: number, by: { vectors: number } | { helpers: number }): number {
  const megabytes = exchangeBytes / 1e6;
  return 'vectors' in by
    ? megabytes * MOVING_MS_PER_MB * overheadTimes(by.vectors)
    : megabytes * HELPER_MS_PER_MB * by.helpers;
}

/** The time that so many leaves are expected to take with these helpers, by the model that also assigns leaves. */
export function stepMsWith(leaves: number, alone: LocalThreads, helpers: readonly Capacity[]): number {
  return commonEndMs(leaves, [{ ...alone, overheadMs: helpers.length * alone.helperMs }, ...helpers]);
}

/** A choice of helpers, and the time that a step is expected to take with it. */
export interface Prediction {
  readonly helpers: readonly Capacity[];
  readonly stepMs: number;
}

/**
 * The fastest choice among: no helper, the best one, the two best, ...
 * @param candidates remote members that were measured
 */
export function predictBest(
  leaves: number,
  alone: LocalThreads,
  candidates: readonly Capacity[],
): Prediction {
  const msWith = (helpers: readonly Capacity[]): number => stepMsWith(leaves, alone, helpers);
  const sorted = [...candidates].sort((a, b) => msWith([a]) - msWith([b]));
  let best: Prediction = { helpers: [], stepMs: msWith([]) };
  for (let count = 1; count <= sorted.length; count++) {
    const helpers = sorted.slice(0, count);
    const stepMs = msWith(helpers);
    if (stepMs < best.stepMs) best = { helpers, stepMs };
  }
  return best;
}

/** The best choice, if it is expected to be clearly faster than the one in use. */
export function worthTrying(
  { helpers }: Placement,
  leaves: number,
  alone: LocalThreads,
  candidates: readonly Capacity[],
): Prediction | undefined {
  const present = candidates.filter(({ id }) => helpers.has(id));
  const best = predictBest(leaves, alone, candidates);
  const isFaster = best.stepMs <= (1 - GAIN_LEAST) * stepMsWith(leaves, alone, present);
  return isFaster ? best : undefined;
}

/**
 * Decides between two steps who is given work from now on.
 *
 * @param leaves of a whole batch
 * @param candidates remote members that were measured
 * @param stepsLeft until the run is over
 * @returns why the choice was changed; undefined when it was not
 */
export function decide(
  placement: Placement,
  leaves: number,
  alone: LocalThreads,
  candidates: readonly Capacity[],
  stepsLeft: number,
  nowMs: number,
): string | undefined {
  const { helpers } = placement;
  const aloneMs = alone.msPerLeaf * leaves;
  const present = candidates.filter(({ id }) => helpers.has(id));
  const presentMs = stepMsWith(leaves, alone, present);
  const chooseNow = (chosen: readonly Capacity[], stepMs: number): void => {
    const savedMs = stepsLeft * (aloneMs - stepMs);
    const runMs = placement.spentMs + stepsLeft * aloneMs;
    choose(placement, chosen, Math.min(TRIAL_LOSS_MOST * runMs, STAKE_MOST * savedMs));
  };
  if (helpers.size > present.length) chooseNow(present, presentMs);
  const { trial, window } = placement;
  const isMeasured = window.elapsedMs >= WINDOW_MS;
  if (present.length > 0) {
    const { leaves: counted, elapsedMs } = window.steps >= CLEARLY_SLOWER_STEPS ? window : trial;
    const usedMs = (elapsedMs / counted) * leaves;
    const isCostly = trial.elapsedMs - alone.msPerLeaf * trial.leaves > trial.stakeMs;
    const isClear = window.steps >= CLEARLY_SLOWER_STEPS && usedMs > CLEARLY_SLOWER * aloneMs;
    if (isMeasured ? usedMs > (1 - KEEP_LEAST) * aloneMs : isClear || isCostly) {
      placement.retryAtMs = nowMs + placement.retryDelayMs;
      placement.retryDelayMs = Math.min(2 * placement.retryDelayMs, RETRY_MOST_MS);
      chooseNow([], aloneMs);
      placement.slower = { withMs: usedMs, aloneMs };
      return `a step took ${inMs(usedMs)} with helpers, and takes ${inMs(aloneMs)} on local threads alone`;
    }
    // A choice in use is measured before another one is tried.
    if (!isMeasured) return undefined;
    placement.retryDelayMs = RETRY_FIRST_MS;
  }
  if (nowMs < placement.retryAtMs || placement.lostMs > LOSS_MOST * placement.spentMs) return undefined;
  const best = worthTrying(placement, leaves, alone, candidates);
  if (best === undefined) return undefined;
  chooseNow(best.helpers, best.stepMs);
  placement.slower = undefined;
  return `a step is expected to take ${inMs(best.stepMs)} instead of ${inMs(presentMs)}`;
}

/** What it takes to give members all of the data. */
export interface DataSending {
  /** Of this machine's time. */
  readonly costMs: number;
  /** Until all of it has arrived. */
  readonly transferMs: number;
}

/**
 * Whether the data is worth sending: what the best choice is expected to save in the steps that are left when it has arrived
 * exceeds what sending it takes.
 */
export function isDataWorthwhile(
  { stepMs }: Prediction,
  aloneMs: number,
  stepsLeft: number,
  { costMs, transferMs }: DataSending,
): boolean {
  const stepsThen = stepsLeft - transferMs / aloneMs;
  return stepsThen * (aloneMs - stepMs) > DATA_WORTH_TIMES * costMs;
}

function choose(placement: Placement, helpers: readonly Capacity[], stakeMs: number): void {
  placement.helpers = new Set(helpers.map(({ id }) => id));
  placement.trial = { ...EMPTY, stakeMs };
  placement.window = EMPTY;
}

/** "1.2 ms", "18 ms". */
export function inMs(ms: number): string {
  return `${Number(ms.toPrecision(2))} ms`;
}
