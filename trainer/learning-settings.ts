import type { SavedCheckpoint, WeightSettings } from '../coordinator/storage/checkpoint.js';
import type { Codec } from '../shared/codec/codec.js';
import { UserError } from '../shared/errors.js';
import { sha256Hex } from '../shared/files/sha256.js';
import type { Model } from '../shared/graph/model.js';
import type { Clipping } from '../shared/optim/clipping.js';
import type { EarlyStopping } from '../shared/optim/early-stopping.js';
import type { GradientNoise } from '../shared/optim/gradient-noise.js';
import { localOf, type Sync } from '../shared/optim/local-updates.js';
import type { ScheduleSettings } from '../shared/optim/schedule.js';
import type { OptimizerSettings } from '../shared/optim/settings.js';
import type { RecipeData } from './recipe.js';

/** Longest value of a setting that a message shows, in characters. */
const SHOWN_CHARACTERS = 80;

/** Everything that decides the weights of a run, besides the network and the weights it starts with. */
export interface LearningSettings {
  readonly data: RecipeData;
  /** Samples per step, over all workers and replicas. */
  readonly batch: number;
  /** Samples per leaf of the canonical sum. */
  readonly leafSize: number;
  /** Length of the run; with local updates in rounds. */
  readonly steps: number;
  readonly seed: number;
  /** Left out: an exchange at every step. */
  readonly sync?: Sync | undefined;
  readonly optimizer: OptimizerSettings;
  /** The base rate, which the schedule changes from step to step. */
  readonly learningRate: number;
  readonly schedule: ScheduleSettings;
  readonly clipping?: Clipping | undefined;
  readonly gradientNoise?: GradientNoise | undefined;
  /** How gradients are rounded on their way between machines, and on one machine alike; left out: not at all. */
  readonly compress?: Codec | undefined;
  readonly earlyStopping?: EarlyStopping | undefined;
  /** Steps between two evaluations; left out: one epoch. */
  readonly evaluateEvery?: number | undefined;
}

/** The same as plain data, which checkpoints keep: the network and the data are replaced by their hashes. */
export function weightSettings(settings: LearningSettings, model: Model): WeightSettings {
  const { data, batch, leafSize, seed, steps, optimizer, learningRate, schedule, clipping = null } = settings;
  const { gradientNoise, earlyStopping, evaluateEvery, compress = 'none' } = settings;
  const local = localOf(settings.sync);
  return {
    ...{ model: fingerprint(model), data: fingerprint(data.train.manifest) },
    ...{ batch, leafSize, seed, steps, optimizer, learningRate, schedule, clipping },
    ...(local && { sync: local }),
    ...(gradientNoise && { gradientNoise }),
    ...(compress !== 'none' && { compress }),
    ...(earlyStopping && { earlyStopping }),
    ...(evaluateEvery !== undefined && { evaluateEvery }),
  };
}

/** The settings that differ, as text: "learningRate 0.01 (was 0.001)". */
export function differences(now: WeightSettings, before: WeightSettings): string[] {
  const names = [...new Set([...Object.keys(now), ...Object.keys(before)])];
  return names
    .filter((name) => textOf(now[name]) !== textOf(before[name]))
    .map((name) => `${name} ${shown(now[name])} (was ${shown(before[name])})`);
}

/**
 * Refuses to resume from a checkpoint that these settings cannot continue. Most settings may change, the learning rate
 * for example. The batch, the sync and the data may not, because the position among the samples would have another meaning; nor
 * may the optimizer, because it could not read the saved state.
 * @throws UserError that names the setting that differs
 */
export function checkResumable(now: WeightSettings, { settings: before, progress }: SavedCheckpoint): void {
  const fix = 'resume with the same, or start a new run from its weights (--weights PATH)';
  for (const name of ['batch', 'data', 'sync'])
    if (textOf(now[name]) !== textOf(before[name]))
      throw new UserError(
        `the run was started with other settings: ${differences(now, before)[0]}; ${fix}`,
        2,
      );
  const [is, was] = [now, before].map(({ optimizer }) => (optimizer as { name?: unknown }).name);
  if (is !== was) throw new UserError(`the run was started with the optimizer ${was}, not ${is}; ${fix}`, 2);
  if (progress.step > (now.steps as number))
    throw new UserError(
      `the run has already done ${progress.step} steps, more than the ${now.steps} requested; request more`,
      2,
    );
}

/** SHA-256 of a value as JSON. */
export function fingerprint(value: unknown): string {
  return sha256Hex(new TextEncoder().encode(JSON.stringify(value)));
}

function textOf(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing';
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : textOf(value);
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`;
}
