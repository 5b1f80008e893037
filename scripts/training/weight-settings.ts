import type { WeightSettings } from '../../coordinator/checkpoint.js';
import type { RecipeData } from '../../coordinator/recipe.js';
import { UserError } from '../../shared/errors.js';
import { sha256Hex } from '../../shared/files/sha256.js';
import type { Model } from '../../shared/graph/model.js';
import type { Clipping } from '../../shared/optim/clipping.js';
import type { EarlyStopping } from '../../shared/optim/early-stopping.js';
import type { GradientNoise } from '../../shared/optim/gradient-noise.js';
import type { ScheduleSettings } from '../../shared/optim/schedule.js';
import type { OptimizerSettings } from '../../shared/optim/settings.js';

/** Longest value of a setting that is shown. */
const SHOWN_CHARACTERS = 80;

/** What of a run's request reaches its weights, besides the network. */
interface WeightRequest {
  readonly data: RecipeData;
  readonly batch: number;
  readonly leaf: number;
  readonly seed: number;
  readonly steps: number;
  readonly optimizer: OptimizerSettings;
  readonly learningRate: number;
  readonly schedule: ScheduleSettings;
  readonly clipping?: Clipping | undefined;
  readonly gradientNoise?: GradientNoise | undefined;
  readonly earlyStopping?: EarlyStopping | undefined;
  readonly evaluateEvery?: number | undefined;
}

/** All that reaches the weights of a run, by name; the network and the data by their hashes. */
export function weightSettings(request: WeightRequest, model: Model): WeightSettings {
  const { data, batch, leaf, seed, steps, optimizer, learningRate, schedule, clipping = null } = request;
  const { gradientNoise, earlyStopping, evaluateEvery } = request;
  return {
    ...{ model: fingerprint(model), data: fingerprint(data.train.manifest) },
    ...{ batch, leaf, seed, steps, optimizer, learningRate, schedule, clipping },
    ...(gradientNoise && { gradientNoise }),
    ...(earlyStopping && { earlyStopping }),
    ...(evaluateEvery !== undefined && { evaluateEvery }),
  };
}

/** What is different now, in words: "learningRate 0.01 (was 0.001)". */
export function differences(now: WeightSettings, before: WeightSettings): string[] {
  const names = [...new Set([...Object.keys(now), ...Object.keys(before)])];
  return names
    .filter((name) => textOf(now[name]) !== textOf(before[name]))
    .map((name) => `${name} ${shown(now[name])} (was ${shown(before[name])})`);
}

/**
 * A run may go on with another learning rate; with another batch or other data its place among the samples would mean
 * something else, and another optimizer would not understand what this one remembers.
 * @throws UserError that names what is different
 */
export function checkResumable(now: WeightSettings, before: WeightSettings): void {
  const mend = 'resume with the same, or begin a new run with the weights (--weights PATH)';
  for (const name of ['batch', 'data'])
    if (textOf(now[name]) !== textOf(before[name]))
      throw new UserError(
        `the run was begun with other settings: ${differences(now, before)[0]}; ${mend}`,
        2,
      );
  const [is, was] = [now, before].map(({ optimizer }) => (optimizer as { name?: unknown }).name);
  if (is !== was) throw new UserError(`the run was begun with the optimizer ${was}, not ${is}; ${mend}`, 2);
}

function fingerprint(value: unknown): string {
  return sha256Hex(new TextEncoder().encode(JSON.stringify(value)));
}

function textOf(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing';
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : textOf(value);
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}
