import { recordText } from '../../coordinator/storage/record-text.js';
import { differences } from '../learning-settings.js';
import { recipeKey } from '../recipe.js';
import type { Leg, RecordedRun } from '../replay/recorded-run.js';

export type Numbers = Readonly<Record<string, number | string>>;

/** A number that is in one record otherwise than in the other. */
export interface RecordDifference {
  /** Steps done. */
  readonly step: number;
  /** Such as "loss", or "weightsSha256". */
  readonly what: string;
  readonly kind: 'metric' | 'weights' | 'evaluation';
  readonly values: readonly [string, string];
}

/** What decides the numbers of two runs and is not the same, as text; empty when all of it is. */
export function originDifferences(a: RecordedRun, b: RecordedRun): string[] {
  const found = new Set<string>();
  const legOf = ({ legs }: RecordedRun, step: number): Leg =>
    legs.findLast(({ from }) => from < step) ?? (legs[0] as Leg);
  const starts = new Set([...a.legs, ...b.legs].map(({ from }) => from + 1));
  for (const step of [...starts].sort((x, y) => x - y)) {
    if (step > 1 && step > Math.min(a.lastStep, b.lastStep)) break;
    for (const text of legDifferences(legOf(a, step), legOf(b, step)))
      found.add(step === 1 ? text : `from step ${step} on: ${text}`);
  }
  // What holds from the beginning is said once.
  return [...found].filter(
    (text) => !found.has(text.replace(/^from step \d+ on: /, '')) || !/^from/.test(text),
  );
}

function legDifferences(a: Leg, b: Leg): string[] {
  const one = (what: string, first: unknown, second: unknown): string[] =>
    JSON.stringify(first) === JSON.stringify(second)
      ? []
      : [`${what} ${JSON.stringify(first ?? null)} (was ${JSON.stringify(second ?? null)})`];
  return [
    ...one('recipe', recipeKey(a.recipe), recipeKey(b.recipe)),
    ...differences(a.settings, b.settings),
    ...one('testData', a.testData, b.testData),
    ...one('validationData', a.validationData, b.validationData),
    ...one('initialWeights', a.weights, b.weights),
    ...one('kernels', a.code.kernels, b.code.kernels),
  ].map((text) => text.replace(/ \(was (.*)\)$/s, ' in the first run, $1 in the second'));
}

/**
 * The first step at which two records differ, as far as both go.
 * @param sameSettings whether whole states can be compared: they name their settings
 */
export function recordDifference(
  a: RecordedRun,
  b: RecordedRun,
  sameSettings: boolean,
): RecordDifference | undefined {
  const last = Math.min(a.lastStep, b.lastStep);
  const differing = (
    step: number,
    kind: RecordDifference['kind'],
    x: Numbers = {},
    y: Numbers = {},
  ): RecordDifference | undefined => {
    const what = differingName(x, y);
    return what === undefined ? undefined : { step, what, kind, values: [textOf(x[what]), textOf(y[what])] };
  };
  for (let step = 0; step <= last; step++) {
    const found =
      differing(step, 'metric', a.steps[step]?.value.means, b.steps[step]?.value.means) ??
      differing(
        step,
        'weights',
        recordedHashes(a, step, sameSettings),
        recordedHashes(b, step, sameSettings),
      ) ??
      differing(step, 'evaluation', a.evaluations.get(step)?.value, b.evaluations.get(step)?.value);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The first name that both have, with other numbers. */
export function differingName(a: Numbers, b: Numbers): string | undefined {
  return Object.keys(a).find((name) => name in b && textOf(a[name]) !== textOf(b[name]));
}

/** The recorded hashes after a step: of the weights, and of the state with the optimizer's vectors and the settings. */
export function recordedHashes({ saved, claims }: RecordedRun, step: number, withState = true): Numbers {
  const state = saved.get(step)?.[0]?.value;
  const weightsSha256 = state?.weightsSha256 ?? claims.find((claim) => claim.step === step)?.weightsSha256;
  return {
    ...(weightsSha256 !== undefined && { weightsSha256 }),
    ...(withState && state !== undefined && { stateSha256: state.sha256 }),
  };
}

/** A number of a record as text; what is not finite stands there as a word. */
export function textOf(value: number | string | undefined): string {
  return recordText({ value }).slice('{"value":'.length, -1);
}
