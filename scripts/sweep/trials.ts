import type { Values } from '../run-records/run-record.js';
import { evaluatedLoss } from '../run-records/run-record.js';
import type { TrialOptions } from './search-space.js';

/** What a sweep looks for. */
export interface SweepGoal {
  /** Name of a metric, such as testAccuracy; undefined: the loss of evaluations, or of training where there are none. */
  readonly metric: string | undefined;
  readonly isLargest: boolean;
}

/** What became of a trial. */
export interface TrialResult {
  /** Also the name of its directory: "trial-003", "trial-003-epochs-4". */
  readonly name: string;
  readonly options: TrialOptions;
  readonly state: 'finished' | 'stopped' | 'interrupted' | 'diverged' | 'failed';
  readonly metrics: Values;
  readonly weightsSha256?: string | undefined;
  /** Why it failed or diverged. */
  readonly error?: string;
}

/** The number that a trial is judged by; undefined when it has none. */
export function goalValue({ metrics, state }: TrialResult, { metric }: SweepGoal): number | undefined {
  if (state !== 'finished' && state !== 'stopped') return undefined;
  const value = metric === undefined ? (evaluatedLoss(metrics) ?? metrics.trainLoss) : metrics[metric];
  return value !== undefined && Number.isFinite(value) ? value : undefined;
}

/** The best first; those without a value last, and equal ones in their order. */
export function ranked(results: readonly TrialResult[], goal: SweepGoal): TrialResult[] {
  const sign = goal.isLargest ? -1 : 1;
  const worst = Number.POSITIVE_INFINITY;
  const keyOf = (result: TrialResult): number => {
    const value = goalValue(result, goal);
    return value === undefined ? worst : sign * value;
  };
  // Two infinities have no difference.
  return [...results].sort((a, b) => (keyOf(a) === keyOf(b) ? 0 : keyOf(a) - keyOf(b)));
}

/** A trial of a rung. */
export interface RungTrial {
  readonly index: number;
  readonly options: TrialOptions;
}

/**
 * Epochs of the rungs of successive halving (Jamieson, Talwalkar: non-stochastic best arm identification, 2016): the last one
 * has all, each one before it a `factor`-th, as long as that is an epoch and there are trials to choose from.
 */
export function rungEpochs(epochs: number, trials: number, factor: number): number[] {
  const rungs = [epochs];
  for (let left = trials; left > factor; left = Math.ceil(left / factor)) {
    const fewer = Math.floor((rungs[0] as number) / factor);
    if (fewer < 1) break;
    rungs.unshift(fewer);
  }
  return rungs;
}

/** The trials that go on to the next rung: the best `factor`-th, one at least. */
export function survivors(
  trials: readonly RungTrial[],
  results: readonly TrialResult[],
  goal: SweepGoal,
  factor: number,
): RungTrial[] {
  const best = ranked(results, goal).filter((result) => goalValue(result, goal) !== undefined);
  const kept = best.slice(0, Math.ceil(trials.length / factor)).map((result) => results.indexOf(result));
  return trials.filter((_, i) => kept.includes(i));
}
