import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { UserError } from '../../shared/errors.js';
import { nearest } from '../../shared/nearest.js';

/** Options of `train` that a sweep may vary, as they are typed. All of them reach the weights. */
export const VARIED_OPTIONS: readonly string[] = [
  ...['batch', 'steps', 'epochs', 'seed', 'weights', 'freeze', 'leaf-size', 'optimizer', 'sync', 'ema', 'lr'],
  ...['schedule', 'clip-norm', 'clip-tensor-norm', 'clip-value', 'gradient-noise', 'compress'],
  ...['evaluate-every', 'early-stopping', 'validation', 'data', 'text'],
];
/** Most trials of a sweep. */
const TRIALS_MAX = 10_000;

/** What one option may be: one of some words, or any number between two. */
export type Dimension = { readonly option: string } & (
  | { readonly values: readonly string[] }
  | { readonly from: number; readonly to: number; readonly isLogarithmic: boolean }
);

/** The options of one trial, as they are typed. */
export type TrialOptions = Readonly<Record<string, string>>;

/**
 * Reads "lr=0.1,0.01", "schedule=constant;cosine:warmup=10,floor=0.1" (semicolons where a value has commas), or
 * "lr=0.0001..0.1", a range of positive numbers, which is drawn from on a logarithmic scale, or "lr=0..1:linear".
 * @throws UserError (wrong usage) that says what is wrong
 */
export function parseDimension(text: string): Dimension {
  const [, option = '', rest = ''] = /^([a-z-]+)=(.+)$/.exec(text) ?? [];
  if (option === '')
    throw new UserError(
      `--vary takes OPTION=VALUES, such as lr=0.1,0.01 or lr=0.0001..0.1, not "${text}"`,
      2,
    );
  if (!VARIED_OPTIONS.includes(option)) {
    const near = nearest(option, VARIED_OPTIONS);
    const fix = near === undefined ? `choose among ${VARIED_OPTIONS.join(', ')}` : `did you mean ${near}?`;
    throw new UserError(`--vary cannot vary "${option}"; ${fix}`, 2);
  }
  const [, low, high, scale] = /^([\d.e+-]+)\.\.([\d.e+-]+?)(:linear)?$/i.exec(rest) ?? [];
  if (low !== undefined && high !== undefined) {
    const [from, to] = [Number(low), Number(high)];
    const isLogarithmic = scale === undefined;
    if (!(from < to) || !Number.isFinite(to) || from < 0)
      throw new UserError(
        `--vary ${option}: a range goes from a smaller to a larger number, not "${rest}"`,
        2,
      );
    if (isLogarithmic && from === 0)
      throw new UserError(`--vary ${option}: a logarithmic range cannot begin at 0; add :linear`, 2);
    return { option, from, to, isLogarithmic };
  }
  const values = rest.split(rest.includes(';') ? ';' : ',').map((value) => value.trim());
  if (values.includes('') || new Set(values).size < values.length)
    throw new UserError(`--vary ${option}: a value is empty, or given twice`, 2);
  return { option, values };
}

/** Every combination of values, the last dimension fastest. @throws UserError (wrong usage) when there are too many, or ranges */
export function gridTrials(dimensions: readonly Dimension[]): TrialOptions[] {
  let trials: TrialOptions[] = [{}];
  for (const dimension of dimensions) {
    if (!('values' in dimension))
      throw new UserError(
        `a grid needs values for ${dimension.option}, not a range: list them, or take --method random`,
        2,
      );
    const { option, values } = dimension;
    if (trials.length * values.length > TRIALS_MAX)
      throw new UserError(
        `the grid has more than ${TRIALS_MAX} trials: vary less, or take --method random`,
        2,
      );
    trials = trials.flatMap((trial) => values.map((value) => ({ ...trial, [option]: value })));
  }
  return trials;
}

/** Trials drawn at random, the same ones for the same seed; fewer where the same trial is drawn again. */
export function randomTrials(dimensions: readonly Dimension[], count: number, seed: number): TrialOptions[] {
  if (count > TRIALS_MAX) throw new UserError(`a sweep has at most ${TRIALS_MAX} trials`, 2);
  const random = new SeededRandom(seed);
  const trials = new Map<string, TrialOptions>();
  for (let i = 0; i < count; i++) {
    const trial: Record<string, string> = {};
    for (const dimension of dimensions) trial[dimension.option] = drawn(dimension, random.next() / 2 ** 32);
    trials.set(JSON.stringify(trial), trial);
  }
  return [...trials.values()];
}

/** @param part uniform in [0, 1) */
function drawn(dimension: Dimension, part: number): string {
  if ('values' in dimension) return dimension.values[Math.floor(part * dimension.values.length)] as string;
  const { from, to, isLogarithmic } = dimension;
  const value = isLogarithmic ? from * (to / from) ** part : from + (to - from) * part;
  return String(Number(value.toPrecision(4)));
}

/** leaf-size -> leafSize, as options are stored. */
export function camelCase(option: string): string {
  return option.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
