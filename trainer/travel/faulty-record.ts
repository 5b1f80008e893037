import { metricMeans } from '../../coordinator/compute/metric-means.js';
import type { SavedCheckpoint } from '../../coordinator/storage/checkpoint.js';
import { recordText } from '../../coordinator/storage/record-text.js';
import type { Computers, SessionRequest } from '../replay/replay.js';
import type { Bisection, FaultyRecord } from './bisection.js';
import { findFlippedGradient, findFlippedMetric, treeSum } from './flipped-bit.js';
import { opOfParameter } from './part-in-step.js';
import type { Recomputed } from './recompute.js';
import {
  differingName,
  type Numbers,
  type RecordDifference,
  recordedHashes,
  textOf,
} from './record-comparison.js';
import { StepTracer } from './step-tracer.js';
import type { TravelRun } from './travel-run.js';
import { coordinates, stateDifferences } from './value-difference.js';

type Pair<T> = readonly [T, T];

/** Recorded and computed numbers of a step. */
interface Compared {
  readonly kind: RecordDifference['kind'];
  readonly was: Numbers | undefined;
  readonly is: Numbers | undefined;
}

type Backend = Computers['backend'];

/**
 * Two runs whose settings compute the same numbers up to a step where their records differ: the computation decides which
 * of them is wrong.
 * @param upper the step
 * @param start the nearest state that both have
 */
export async function faultIn(
  runs: Pair<TravelRun>,
  upper: number,
  start: Pair<SavedCheckpoint> | undefined,
  backend: Backend,
): Promise<Pick<Bisection, 'step' | 'cause' | 'faults'>> {
  const [{ recorded: a }, { recorded: b }] = runs;
  const from = start?.[0].progress.step ?? 0;
  const recordedSteps = [a, b].flatMap(({ saved, claims }) => [
    ...saved.keys(),
    ...claims.map(({ step }) => step),
  ]);
  const isInRange = (step: number): boolean => from <= step && step <= upper;
  const all = [...new Set([...recordedSteps, upper, from])].filter(isInRange).sort((x, y) => x - y);
  // Of states of which both have recorded the same, the last one is enough.
  const isEqual = (step: number): boolean => {
    const [x, y] = [recordedHashes(a, step), recordedHashes(b, step)];
    return Object.keys(x).length > 0 && recordText(x) === recordText(y);
  };
  const lastEqual = all.filter(isEqual).at(-1);
  const steps = all.filter((step) => step === from || step === lastEqual || !isEqual(step));
  const faults: FaultyRecord[] = [];
  for (const run of [0, 1] as const) {
    const computed = await runs[run].recompute(steps, start?.[run]);
    const fault = await faultOf(runs[run], run, computed, { from, upper, backend });
    if (fault !== undefined) faults.push(fault);
  }
  const first = Math.min(...faults.map(({ step }) => step));
  return { step: Number.isFinite(first) ? first : upper, cause: 'fault', faults };
}

/** The first number of a run's record that the computation does not confirm. */
async function faultOf(
  travelled: TravelRun,
  run: 0 | 1,
  computed: Recomputed,
  { from, upper, backend }: { from: number; upper: number; backend: Backend },
): Promise<FaultyRecord | undefined> {
  const { recorded } = travelled;
  let rightUntil = from;
  for (let step = from; step <= upper; step++) {
    const state = computed.states.get(step);
    const weights: Compared = {
      kind: 'weights',
      was: recordedHashes(recorded, step),
      is: state && { weightsSha256: state.weightsSha256, stateSha256: state.sha256 },
    };
    const others: Compared[] = [
      { kind: 'metric', was: recorded.steps[step]?.value.means, is: computed.means.get(step) },
      weights,
      {
        ...{ kind: 'evaluation', was: recorded.evaluations.get(step)?.value },
        is: computed.evaluations.get(step),
      },
    ];
    for (const { kind, was, is } of step === from ? [weights] : others) {
      if (was === undefined || is === undefined) continue;
      const what = differingName(is, was);
      if (what === undefined) {
        if (kind === 'weights' && Object.keys(was).length > 0) rightUntil = step;
        continue;
      }
      const fault = { run, step, what, recorded: textOf(was[what]), computed: textOf(is[what]), rightUntil };
      const explained = await explain(travelled, { step, kind, what, was: was[what] }, computed, backend);
      return { ...fault, parameters: [], ...explained };
    }
  }
  return undefined;
}

/** What can be said of a step's wrong numbers beyond that they are wrong. */
async function explain(
  travelled: TravelRun,
  {
    step,
    kind,
    what,
    was,
  }: { step: number; kind: RecordDifference['kind']; what: string; was: string | number | undefined },
  computed: Recomputed,
  backend: Backend,
): Promise<Partial<FaultyRecord>> {
  const kept = await travelled.kept(step);
  const right = computed.states.get(step);
  const parameters = kept && right ? stateDifferences(right, kept) : [];
  const request = step === 0 ? undefined : travelled.requestOf(step);
  if (request === undefined || kind === 'evaluation' || localSync(request)) return { parameters };
  const before = computed.states.get(step - 1) ?? (await stateBefore(travelled, step, computed));
  if (before === undefined) return { parameters };
  const tracer = await StepTracer.open(request, { backend });
  try {
    tracer.load(before);
    const sums: Float32Array[] = [];
    while (sums.length < tracer.leaves(step - 1))
      sums.push(...(await tracer.trace(step - 1, sums.length)).sums);
    const { plan } = tracer;
    if (kind === 'metric') {
      const samples = tracer.samples(step - 1).length;
      const totals = Array.from(plan.metrics, (_, i) => plan.gradientFloats + i);
      const at = plan.metrics.findIndex((metric) => (metric === 'correct' ? 'accuracy' : metric) === what);
      if (at < 0 || typeof was !== 'number') return { parameters };
      const right = totals.map((place) => treeSum(sums.map((sum) => sum[place] as number)));
      const meanOf = (total: number): number =>
        metricMeans(
          plan,
          right.map((one, i) => (i === at ? total : one)),
          samples,
        )[what] as number;
      const flips = findFlippedMetric(sums, plan.gradientFloats + at, meanOf, was);
      return {
        parameters,
        ...(flips && { flip: { name: `the sum of ${what}`, op: 'loss', at: [], flips } }),
      };
    }
    if (kept === undefined || right === undefined) return { parameters };
    const found = await findFlippedGradient(tracer, before, sums, right, kept);
    if (found === undefined) return { parameters };
    const { parameter: name, index, flips } = found;
    const shape = plan.parameters.find((one) => one.name === name)?.shape ?? [];
    const flip = {
      name: `dL/dw of ${name}`,
      op: opOfParameter(plan, name),
      at: coordinates(index, shape),
      flips,
    };
    return { parameters, flip };
  } finally {
    await tracer.close();
  }
}

/** The state before a step, from the nearest that was computed. */
async function stateBefore(
  travelled: TravelRun,
  step: number,
  { states }: Recomputed,
): Promise<SavedCheckpoint | undefined> {
  const near = [...states.keys()].filter((one) => one < step).sort((x, y) => y - x)[0];
  const start = near === undefined ? undefined : states.get(near);
  return (await travelled.recompute([step - 1], start)).states.get(step - 1);
}

function localSync({ sync = 'step' }: SessionRequest): boolean {
  return sync !== 'step';
}
