/*
 * Local updates (DiLoCo: Douillard et al., "DiLoCo: distributed low-communication training of language models", 2023), for links
 * on which an exchange at every step takes too long. A number of replicas, which the recipe fixes, take H optimizer steps
 * each, on their own share of the samples (batch / R a step), from the same weights and the same state of the optimizer. Then
 * what they have come to is averaged by the canonical tree over the replicas (d: the change w - w_r, m_r, v_r: moments):
 *
 *     V = momentum * V + mean(d)      w = w - rate * (mean(d) + momentum * V)      m = mean(m_r)      v = mean(v_r)
 *
 * A replica keeps nothing from one round to the next, so any machine can compute any replica of any round.
 */
import * as v from 'valibot';
import { UserError } from '../errors.js';
import { optionsOf } from '../nearest.js';
import { checkSettings } from './check-settings.js';
import type { OwnRule } from './learning-rules.js';
import type { OptimizerSettings } from './settings.js';

/** Most replicas: a worker queues no more ranges. */
export const REPLICAS_MAX = 256;
/** Most steps of a round. */
const LOCAL_STEPS_MAX = 10_000;
/** Rounds below which the averages of a run come too late to help. */
export const ROUNDS_LEAST = 30;

export const LocalUpdatesSchema = v.strictObject({
  replicas: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(REPLICAS_MAX)),
  steps: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(LOCAL_STEPS_MAX)),
});
export type LocalUpdates = v.InferOutput<typeof LocalUpdatesSchema>;

/** How members come to the same weights: by an exchange at every optimizer step, or by local updates. */
export type Sync = 'step' | LocalUpdates;

/** The local updates of a sync; undefined when it is an exchange at every step. */
export function localOf(sync: Sync | undefined): LocalUpdates | undefined {
  return sync === 'step' ? undefined : sync;
}

/** Settings of local updates; default: 4 replicas, 30 steps a round. */
export function localUpdates(options: Partial<LocalUpdates> = {}): LocalUpdates {
  return { replicas: 4, steps: 30, ...optionsOf('localUpdates()', options) };
}

/**
 * Checks the settings of local updates.
 * @param exitStatus 2 for settings from the command line
 * @throws UserError that names the wrong setting
 */
export function checkLocalUpdates(settings: LocalUpdates, exitStatus: 1 | 2 = 1): LocalUpdates {
  return checkSettings(LocalUpdatesSchema, settings, {
    what: 'sync of local updates',
    key: 'replicas',
    exitStatus,
  });
}

/** How the results of a round's replicas become the next state. */
export interface OuterRule {
  readonly rate: number;
  /** Of Nesterov's momentum; 0: none, and no velocity is kept. */
  readonly momentum: number;
  /** Whether the vectors of the optimizer's state are averaged too; otherwise every round begins with zeros. */
  readonly averagesState: boolean;
  /** Which of these vectors are squares: second moments. */
  readonly squares: readonly number[];
}

/**
 * The outer rule that goes with an optimizer. With averaged moments, Adam gains from the outer momentum; with a state that is
 * reset, that momentum ruins runs, and plain averaging is right. Only pairs that were measured are offered.
 * @param parameters those of the model, which may have optimizers of their own
 * @throws UserError when there is none for this optimizer, or there are several kinds
 */
export function outerRuleOf(
  { name }: Pick<OptimizerSettings, 'name'>,
  parameters: readonly Pick<OwnRule, 'optimizer'>[] = [],
): OuterRule {
  const other = parameters.find(({ optimizer }) => optimizer !== undefined && optimizer.name !== name);
  if (other !== undefined)
    throw new UserError(
      `local updates average the state of one kind of optimizer, and layers have ${other.optimizer?.name} beside ${name}: give them ` +
        `${name} with other settings, or take --sync step`,
      2,
    );
  if (name === 'adam') return { rate: 0.7, momentum: 0.9, averagesState: true, squares: [1] };
  if (name === 'sgd') return { rate: 1, momentum: 0, averagesState: false, squares: [] };
  throw new UserError(
    `local updates work with adam, adamw and sgd, not with ${name}: choose one of these (--optimizer), or --sync step`,
    2,
  );
}
