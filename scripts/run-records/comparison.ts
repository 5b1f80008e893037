import { evaluatedLoss, type RunRecord, type Values } from './run-record.js';
import { otherSettingsOf, type SettingTexts, weightSettingsOf } from './run-settings.js';

/** A value of each run, in their order; undefined where a run has none. */
export interface ComparedRow<T> {
  readonly name: string;
  readonly values: readonly (T | undefined)[];
}

/** How two runs relate. */
export interface Parting {
  /** Names of the two runs. */
  readonly runs: readonly [string, string];
  /** Hash of the final weights is the same; undefined where a run has none. */
  readonly areWeightsEqual: boolean | undefined;
  /** The last step before which all recorded numbers agree: losses of steps and metrics of evaluations. */
  readonly numbersEqualTo: number;
  /** The first step of which a number differs; undefined where none that both have does. */
  readonly numbersPartAt: number | undefined;
  /** The last step at which both recorded the same hash of the weights. */
  readonly hashesEqualAt: number | undefined;
  /** The first step at which they recorded different ones. */
  readonly hashesPartAt: number | undefined;
}

/** Runs beside each other. */
export interface Comparison {
  readonly runs: readonly RunRecord[];
  /** Settings that decide the weights, and differ. */
  readonly settings: readonly ComparedRow<string>[];
  /** Other settings that differ; they change no bit of the weights. */
  readonly otherSettings: readonly ComparedRow<string>[];
  /** Metrics of the final weights. */
  readonly metrics: readonly ComparedRow<number>[];
  /** The first run with each of the others. */
  readonly partings: readonly Parting[];
}

/** Compares runs. @param runs two or more */
export function compareRuns(runs: readonly RunRecord[]): Comparison {
  const [first, ...others] = runs;
  return {
    runs,
    settings: differing(runs.map(weightSettingsOf)),
    otherSettings: differing(runs.map(otherSettingsOf)),
    metrics: rowsOf(runs.map((run) => metricsOf(run))),
    partings: first === undefined ? [] : others.map((other) => partingOf(first, other)),
  };
}

/** What a run came to: steps, the loss of the last one, the metrics of its final weights, its best evaluation. */
function metricsOf({ steps, course, final, best }: RunRecord): Values {
  const loss = course.at(-1)?.means.loss;
  const bestLoss = best && evaluatedLoss(best.metrics);
  return {
    steps,
    ...(loss !== undefined && { 'loss of the last step': loss }),
    ...final,
    ...(best !== undefined && bestLoss !== undefined && { 'best loss': bestLoss, 'at step': best.step }),
  };
}

function differing(texts: readonly SettingTexts[]): ComparedRow<string>[] {
  return rowsOf(texts).filter(({ values }) => new Set(values).size > 1);
}

function rowsOf<T>(columns: readonly Readonly<Record<string, T>>[]): ComparedRow<T>[] {
  const names = [...new Set(columns.flatMap((column) => Object.keys(column)))];
  return names.map((name) => ({ name, values: columns.map((column) => column[name]) }));
}

function partingOf(a: RunRecord, b: RunRecord): Parting {
  const numbers = [
    ...commonSteps(a.course, b.course, (x, y) => areEqual(x.means, y.means)),
    ...commonSteps(a.evaluations, b.evaluations, (x, y) => areEqual(x.metrics, y.metrics)),
  ].sort((x, y) => x.step - y.step);
  const hashes = commonSteps(a.hashes, b.hashes, (x, y) => x.weightsSha256 === y.weightsSha256);
  const partAt = firstUnequal(numbers);
  const hashesPartAt = firstUnequal(hashes);
  const isKnown = a.weightsSha256 !== undefined && b.weightsSha256 !== undefined;
  return {
    runs: [a.name, b.name],
    areWeightsEqual: isKnown ? a.weightsSha256 === b.weightsSha256 : undefined,
    numbersEqualTo: lastEqual(numbers, partAt) ?? 0,
    numbersPartAt: partAt,
    hashesEqualAt: lastEqual(hashes, hashesPartAt),
    hashesPartAt,
  };
}

/** What two runs have of one step. */
interface CommonStep {
  readonly step: number;
  readonly isEqual: boolean;
}

/** Steps that both have, ascending. */
function commonSteps<T extends { readonly step: number }>(
  a: readonly T[],
  b: readonly T[],
  isEqual: (x: T, y: T) => boolean,
): CommonStep[] {
  const others = new Map(b.map((entry) => [entry.step, entry]));
  return a.flatMap((entry) => {
    const other = others.get(entry.step);
    return other === undefined ? [] : [{ step: entry.step, isEqual: isEqual(entry, other) }];
  });
}

function firstUnequal(steps: readonly CommonStep[]): number | undefined {
  return steps.find(({ isEqual }) => !isEqual)?.step;
}

function lastEqual(steps: readonly CommonStep[], end = Number.POSITIVE_INFINITY): number | undefined {
  return steps.findLast(({ step, isEqual }) => isEqual && step < end)?.step;
}

/** Whether two lists of numbers agree in what both have: one run may have been asked for more metrics. */
function areEqual(a: Values, b: Values): boolean {
  return Object.entries(a).every(([name, value]) => !Object.hasOwn(b, name) || Object.is(b[name], value));
}
