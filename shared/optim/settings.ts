import * as v from 'valibot';
import { UserError } from '../errors.js';
import { type AdagradSettings, AdagradSettingsSchema, adagrad, adagradOptimizer } from './adagrad.js';
import { type AdamSettings, AdamSettingsSchema, adam, adamOptimizer, adamw } from './adam.js';
import { type LionSettings, LionSettingsSchema, lion, lionOptimizer } from './lion.js';
import { type MuonSettings, MuonSettingsSchema, muon, muonOptimizer } from './muon.js';
import type { Optimizer } from './optimizer.js';
import { type RmspropSettings, RmspropSettingsSchema, rmsprop, rmspropOptimizer } from './rmsprop.js';
import { type SgdSettings, SgdSettingsSchema, sgd, sgdOptimizer } from './sgd.js';

/** An optimizer as data: its name and all of its numbers. */
export type OptimizerSettings =
  | AdagradSettings
  | AdamSettings
  | LionSettings
  | MuonSettings
  | RmspropSettings
  | SgdSettings;

const SCHEMA = v.variant('name', [
  AdagradSettingsSchema,
  AdamSettingsSchema,
  LionSettingsSchema,
  MuonSettingsSchema,
  RmspropSettingsSchema,
  SgdSettingsSchema,
]);

/** Every optimizer by name; the compiler sees to it that none is missing. */
const OPTIMIZERS: {
  readonly [N in OptimizerSettings['name']]: (settings: Extract<OptimizerSettings, { name: N }>) => Optimizer;
} = {
  adagrad: adagradOptimizer,
  adam: adamOptimizer,
  lion: lionOptimizer,
  muon: muonOptimizer,
  rmsprop: rmspropOptimizer,
  sgd: sgdOptimizer,
};

/** Every optimizer's default settings by the names that people know. */
const DEFAULTS: Readonly<Record<OptimizerSettings['name'] | 'adamw', () => OptimizerSettings>> = {
  adagrad,
  adam,
  adamw,
  lion,
  muon,
  rmsprop,
  sgd,
};

/** Names of all optimizers, for people. */
export const OPTIMIZER_NAMES: readonly string[] = Object.keys(DEFAULTS);

/**
 * The settings of the optimizer that people call by name alone: its defaults.
 * @throws UserError that lists the names when there is none such
 */
export function optimizerByName(name: string): OptimizerSettings {
  if (!OPTIMIZER_NAMES.includes(name)) {
    throw new UserError(`there is no optimizer "${name}"; choose one of ${OPTIMIZER_NAMES.join(', ')}`, 2);
  }
  return DEFAULTS[name as keyof typeof DEFAULTS]();
}

/**
 * The optimizer that settings describe, wherever these come from.
 * @throws UserError that names the setting that is wrong
 */
export function createOptimizer(settings: OptimizerSettings): Optimizer {
  const checked = parse(settings);
  const create = OPTIMIZERS[checked.name] as (settings: OptimizerSettings) => Optimizer;
  return create(checked);
}

function parse(value: unknown): OptimizerSettings {
  const result = v.safeParse(SCHEMA, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  throw new UserError(
    `not a valid optimizer: ${path === null ? '' : `${path}: `}${issue.message}; known are ${OPTIMIZER_NAMES.join(', ')}`,
  );
}
