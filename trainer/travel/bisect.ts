/*
 * Where two runs part. Their records say between which states to look; everything else is computed again: both runs from
 * the nearest state that they have in common, more and more narrowly up to the step, then each leaf of the step, then each
 * op of the leaf. Where both were asked for the same, there is one computation, and a record that contradicts it is wrong.
 */
import type { SavedCheckpoint } from '../../coordinator/storage/checkpoint.js';
import { commandLine } from '../../shared/command-line.js';
import { UserError } from '../../shared/errors.js';
import { shellWord } from '../../shared/shell-word.js';
import type { Computers, SessionRequest } from '../replay/replay.js';
import type { Bisection } from './bisection.js';
import { faultIn } from './faulty-record.js';
import { partInStep } from './part-in-step.js';
import type { Recomputed } from './recompute.js';
import {
  differingName,
  type Numbers,
  originDifferences,
  type RecordDifference,
  recordDifference,
  recordedHashes,
} from './record-comparison.js';
import { StepTracer } from './step-tracer.js';
import type { TravelRun } from './travel-run.js';
import { stateDifference } from './value-difference.js';

/** States that are compared in one pass of the search. */
const STATES_A_PASS = 8;

type Pair<T> = readonly [T, T];

/** How a bisection is done. */
export interface BisectRequest {
  readonly backend: Computers['backend'];
  /** Is told what is computed now. */
  readonly onProgress: (line: string) => void;
}

/**
 * Finds the first step, leaf and op at which two runs part.
 * @throws UserError when their steps cannot be computed
 */
export async function bisect(runs: Pair<TravelRun>, request: BisectRequest): Promise<Bisection> {
  const [a, b] = runs;
  const differences = originDifferences(a.recorded, b.recorded);
  const common = {
    ...{ runs: [a.path, b.path] as const, steps: [a.lastStep, b.lastStep] as const, differences },
  };
  const upper = recordDifference(a.recorded, b.recorded, differences.length === 0);
  if (upper === undefined)
    return { ...common, parts: false, step: null, recomputedFrom: null, cause: 'none' };
  const start = await commonState(runs, upper.step);
  const from = start?.[0].progress.step ?? 0;
  request.onProgress(`computing steps ${from + 1} to ${upper.step} again, from step ${from}`);
  const found =
    differences.length === 0
      ? await faultIn(runs, upper.step, start, request.backend)
      : await partBetween(runs, upper, start, request);
  return { ...common, parts: true, recomputedFrom: from, ...found };
}

/** What the computation says beyond the records. */
export type Found = Pick<Bisection, 'step' | 'cause'> & Partial<Bisection>;

/** The newest kept state before a step that both runs have. */
async function commonState(
  [a, b]: Pair<TravelRun>,
  step: number,
): Promise<Pair<SavedCheckpoint> | undefined> {
  const hashes = ({ recorded }: TravelRun, one: number): Numbers => recordedHashes(recorded, one, false);
  const steps = [...a.recorded.saved.keys()].filter(
    (one) => one < step && differingName(hashes(a, one), hashes(b, one)) === undefined,
  );
  for (const one of steps.sort((x, y) => y - x)) {
    const [x, y] = [await a.kept(one), await b.kept(one)];
    // With the same settings, one file stands for both where its hash is in both records.
    const isOf = ({ recorded }: TravelRun, state: SavedCheckpoint | undefined): boolean =>
      state !== undefined &&
      (recorded.saved.get(one) ?? []).some(({ value }) => value.sha256 === state.sha256);
    const [first, second] = [x ?? (isOf(a, y) ? y : undefined), y ?? (isOf(b, x) ? x : undefined)];
    if (first !== undefined && second !== undefined && stateDifference(first, second) === undefined)
      return [first, second];
  }
  return undefined;
}

/** Two runs of other settings or data: both are computed. */
async function partBetween(
  runs: Pair<TravelRun>,
  upper: RecordDifference,
  start: Pair<SavedCheckpoint> | undefined,
  { backend, onProgress }: BisectRequest,
): Promise<Found> {
  const [a, b] = runs;
  if (shapesOf(a) !== shapesOf(b)) return { step: 0, cause: 'settings' };
  let low: Pair<SavedCheckpoint>;
  if (start === undefined) {
    const firsts = await statesOf(runs, [0], [undefined, undefined]);
    low = [stateIn(firsts[0], 0, a), stateIn(firsts[1], 0, b)];
    const difference = stateDifference(...low);
    if (difference !== undefined) return { step: 0, cause: 'begin', parameter: difference };
  } else low = start;
  let high = upper.step;
  let after: Pair<SavedCheckpoint> | undefined;
  while (high > stepOf(low) && (after === undefined || high - stepOf(low) > 1)) {
    const from = stepOf(low);
    const steps = stepsBetween(from, high);
    onProgress(`comparing the states of steps ${steps.join(', ')}`);
    const both = await statesOf(runs, steps, low);
    const isParted = (step: number): boolean =>
      stateDifference(stateIn(both[0], step, a), stateIn(both[1], step, b)) !== undefined;
    const parted = steps.find(isParted);
    const equal = steps.filter((step) => parted === undefined || step < parted).at(-1);
    if (equal !== undefined) low = [stateIn(both[0], equal, a), stateIn(both[1], equal, b)];
    if (parted === undefined) break;
    high = parted;
    after = [stateIn(both[0], parted, a), stateIn(both[1], parted, b)];
  }
  if (after === undefined)
    return upper.kind === 'evaluation'
      ? { step: upper.step, cause: 'evaluation' }
      : faultIn(runs, upper.step, start, backend);
  const parameter = stateDifference(...after);
  const found = { step: high, ...(parameter && { parameter }) };
  if (!areComparable(a.requestOf(high), b.requestOf(high))) return { ...found, cause: 'settings' };
  const tracers = await openTracers([a.requestOf(high), b.requestOf(high)], backend);
  try {
    tracers.forEach((tracer, i) => {
      tracer.load(low[i as 0 | 1]);
    });
    const leaf = await partInStep(tracers, high - 1);
    return leaf === undefined ? { ...found, cause: 'update' } : { ...found, cause: 'leaf', leaf };
  } finally {
    for (const tracer of tracers) await tracer.close();
  }
}

async function openTracers(
  requests: Pair<SessionRequest>,
  backend: BisectRequest['backend'],
): Promise<[StepTracer, StepTracer]> {
  const first = await StepTracer.open(requests[0], { backend });
  try {
    return [first, await StepTracer.open(requests[1], { backend })];
  } catch (error) {
    await first.close();
    throw error;
  }
}

/** Whether the leaves of a step are the same samples' places, computed by the same network. */
function areComparable(a: SessionRequest, b: SessionRequest): boolean {
  const shape = ({ batch, leafSize, data }: SessionRequest): string =>
    [batch, leafSize, data.train.manifest.samples].join();
  return shape(a) === shape(b) && [a, b].every(({ sync = 'step' }) => sync === 'step');
}

/** Names and shapes of a network's parameters, and its ops. */
function shapesOf({ plan: { model } }: TravelRun): string {
  return JSON.stringify([
    model.parameters.map(({ name, shape }) => [name, shape]),
    model.nodes.map(({ name, op }) => [name, op]),
  ]);
}

async function statesOf(
  [a, b]: Pair<TravelRun>,
  steps: readonly number[],
  [x, y]: Pair<SavedCheckpoint | undefined>,
): Promise<Pair<Recomputed>> {
  return [await a.recompute(steps, x), await b.recompute(steps, y)];
}

function stateIn({ states }: Recomputed, step: number, { path }: TravelRun): SavedCheckpoint {
  const state = states.get(step);
  if (state !== undefined) return state;
  throw new UserError(
    `${path} cannot be computed up to step ${step}: its settings end it before; run ${commandLine(`verify ${shellWord(path)}`)}`,
  );
}

function stepOf([{ progress }]: Pair<SavedCheckpoint>): number {
  return progress.step;
}

/** Evenly spaced steps after one, up to another. */
function stepsBetween(from: number, to: number): number[] {
  const count = Math.min(STATES_A_PASS, to - from);
  return Array.from({ length: count }, (_, i) => from + Math.round(((i + 1) * (to - from)) / count));
}
