import * as v from 'valibot';
import { UserError } from '../errors.js';
import { describeIssue } from '../schema-issue.js';
import { type AdagradSettings, AdagradSettingsSchema, adagrad, adagradOptimizer } from './adagrad.js';
import { type AdamSettings, AdamSettingsSchema, adam, adamOptimizer, adamw } from './adam.js';
import { type OwnRule, rulesOf, withRules } from './learning-rules.js';
import { type LionSettings, LionSettingsSchema, lion, lionOptimizer } from './lion.js';
import { type MuonSettings, MuonSettingsSchema, muon, muonOptimizer } from './muon.js';
import type { Optimizer } from './optimizer.js';
import { type RmspropSettings, RmspropSettingsSchema, rmsprop, rmspropOptimizer } from './rmsprop.js';
import { type SgdSettings, SgdSettingsSchema, sgd, sgdOptimizer } from './sgd.js';
import { withAverage } from './weight-average.js';

/** An optimizer as data: its name and all its numbers. */
export type OptimizerSettings =
  | AdagradSettings
  | AdamSettings
  | LionSettings
  | MuonSettings
  | RmspropSettings
  | SgdSettings;

export const OptimizerSchema = v.variant('name', [
  AdagradSettingsSchema,
  AdamSettingsSchema,
  LionSettingsSchema,
  MuonSettingsSchema,
  RmspropSettingsSchema,
  SgdSettingsSchema,
]);

/** Every optimizer by name; the type requires them all. */
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

/** The default settings of every optimizer, by the usual names. */
const DEFAULTS: Readonly<Record<OptimizerSettings['name'] | 'adamw', () => OptimizerSettings>> = {
  adagrad,
  adam,
  adamw,
  lion,
  muon,
  rmsprop,
  sgd,
};

/** Names of all optimizers. */
export const OPTIMIZER_NAMES: readonly string[] = Object.keys(DEFAULTS);

/**
 * The default settings of an optimizer by its name.
 * @throws UserError that lists the names when the name is unknown
 */
export function optimizerByName(name: string): OptimizerSettings {
  if (!OPTIMIZER_NAMES.includes(name)) {
    throw new UserError(`there is no optimizer "${name}"; choose one of ${OPTIMIZER_NAMES.join(', ')}`, 2);
  }
  return DEFAULTS[name as keyof typeof DEFAULTS]();
}

/**
 * The optimizer with these settings.
 * @param parameters those of the model, which may learn by rules of their own
 * @throws UserError that names the wrong setting, or says that there are too many rules
 */
export function createOptimizer(settings: OptimizerSettings, parameters: readonly OwnRule[] = []): Optimizer {
  const checked = parse(settings, 'optimizer');
  const base = checked.learningRate;
  const optimizer = withRules(rulesOf(parameters), ({ decay, optimizer: own }) => {
    const chosen = own === undefined ? checked : parseOwn(own);
    const create = OPTIMIZERS[chosen.name] as (settings: OptimizerSettings) => Optimizer;
    if (own !== undefined && base === 0)
      throw new UserError(
        'layers with an optimizer of their own follow the schedule of the run, so its learning rate must be above 0; freeze the ' +
          'other layers instead',
      );
    return {
      optimizer: create({ ...chosen, weightDecay: chosen.weightDecay * decay }),
      // A constant rate stays exactly what was set.
      learningRate: (ofRun) =>
        own === undefined
          ? ofRun
          : ofRun === base
            ? chosen.learningRate
            : (ofRun * chosen.learningRate) / base,
    };
  });
  return withAverage(optimizer, checked.ema);
}

/** @throws UserError that names the wrong setting */
function parseOwn(value: unknown): OptimizerSettings {
  const settings = parse(value, 'optimizer of a layer');
  if (settings.ema !== undefined)
    throw new UserError(
      'the optimizer of a layer has no ema; the average of all weights is set in the optimizer of the run',
    );
  return settings;
}

function parse(value: unknown, what: string): OptimizerSettings {
  const result = v.safeParse(OptimizerSchema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new UserError(
    `not a valid ${what}: ${describeIssue(OptimizerSchema, issue, 'name')}; use one of ${OPTIMIZER_NAMES.join(', ')}`,
  );
}
