import * as v from 'valibot';
import { UserError } from '../errors.js';
import { type AdagradSettings, AdagradSettingsSchema, adagradOptimizer } from './adagrad.js';
import { type AdamSettings, AdamSettingsSchema, adamOptimizer } from './adam.js';
import { type LionSettings, LionSettingsSchema, lionOptimizer } from './lion.js';
import type { Optimizer } from './optimizer.js';
import { type RmspropSettings, RmspropSettingsSchema, rmspropOptimizer } from './rmsprop.js';
import { type SgdSettings, SgdSettingsSchema, sgdOptimizer } from './sgd.js';

/** An optimizer as data: its name and all of its numbers. */
export type OptimizerSettings = AdagradSettings | AdamSettings | LionSettings | RmspropSettings | SgdSettings;

const SCHEMA = v.variant('name', [
  AdagradSettingsSchema,
  AdamSettingsSchema,
  LionSettingsSchema,
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
  rmsprop: rmspropOptimizer,
  sgd: sgdOptimizer,
};

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
  const known = Object.keys(OPTIMIZERS).join(', ');
  throw new UserError(
    `not a valid optimizer: ${path === null ? '' : `${path}: `}${issue.message}; known are ${known}`,
  );
}
