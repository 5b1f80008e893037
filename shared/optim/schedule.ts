/*
 * A schedule: the learning rate at each step as a multiple of the base rate. Plain data and a pure function of the step (for
 * reduceOnPlateau of the losses of evaluations: plateau.ts). The rates affect the weights, so they are computed with +, -, *
 * and / only, the cosine too: every machine gets the same bits.
 */
import * as v from 'valibot';
import { cosineOfPi } from '../arithmetic/cosine.js';
import { UserError } from '../errors.js';
import { optionsOf } from '../nearest.js';
import { checkSettings } from './check-settings.js';
import { ReduceOnPlateauSchema, reduceOnPlateau } from './plateau.js';

const Steps = v.pipe(v.number(), v.integer(), v.minValue(1));
/** Steps of the warm-up, in which the rate rises linearly to its full size; 0: none. */
const Warmup = v.pipe(v.number(), v.integer(), v.minValue(0));
/** A fraction of the base rate or of the run. */
const Part = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

const SCHEMAS = {
  constant: v.strictObject({ name: v.literal('constant'), warmup: Warmup }),
  step: v.strictObject({ name: v.literal('step'), warmup: Warmup, every: Steps, factor: Part }),
  cosine: v.strictObject({ name: v.literal('cosine'), warmup: Warmup, floor: Part }),
  warmRestarts: v.strictObject({
    name: v.literal('warmRestarts'),
    warmup: Warmup,
    period: Steps,
    growth: v.pipe(v.number(), v.integer(), v.minValue(1)),
    floor: Part,
  }),
  oneCycle: v.strictObject({ name: v.literal('oneCycle'), rise: Part, start: Part, floor: Part }),
  exponential: v.strictObject({
    name: v.literal('exponential'),
    warmup: Warmup,
    factor: v.pipe(v.number(), v.gtValue(0), v.finite()),
  }),
  reduceOnPlateau: ReduceOnPlateauSchema,
};
const SCHEMA = v.variant('name', [
  SCHEMAS.constant,
  SCHEMAS.step,
  SCHEMAS.cosine,
  SCHEMAS.warmRestarts,
  SCHEMAS.oneCycle,
  SCHEMAS.exponential,
  SCHEMAS.reduceOnPlateau,
]);

/** A schedule as data: its name and all its numbers. */
export type ScheduleSettings = v.InferOutput<typeof SCHEMA>;
type Of<N extends ScheduleSettings['name']> = Extract<ScheduleSettings, { name: N }>;
type Options<N extends ScheduleSettings['name']> = Partial<Omit<Of<N>, 'name'>>;

/** The base rate at all steps. Default: no warm-up. */
export function constant(options: Options<'constant'> = {}): Of<'constant'> {
  return { name: 'constant', warmup: 0, ...optionsOf('constant()', options) };
}

/** Multiplied by `factor` after every `every` steps. Default: a tenth every 1,000 steps. */
export function stepDecay(options: Options<'step'> = {}): Of<'step'> {
  return { name: 'step', warmup: 0, every: 1000, factor: 0.1, ...optionsOf('stepDecay()', options) };
}

/**
 * Half a cosine from 1 down to `floor`, which the step after the last one of the run would have (Loshchilov, Hutter: SGDR,
 * 2017). Default: to 0.
 */
export function cosineDecay(options: Options<'cosine'> = {}): Of<'cosine'> {
  return { name: 'cosine', warmup: 0, floor: 0, ...optionsOf('cosineDecay()', options) };
}

/**
 * Half cosines from 1 to `floor`, one after the other: the first takes `period` steps, each following one `growth` times as
 * many as the one before (Loshchilov, Hutter: SGDR, 2017). Default: 1,000 steps, doubled each time, down to 0.
 */
export function warmRestarts(options: Options<'warmRestarts'> = {}): Of<'warmRestarts'> {
  return {
    name: 'warmRestarts',
    warmup: 0,
    period: 1000,
    growth: 2,
    floor: 0,
    ...optionsOf('warmRestarts()', options),
  };
}

/**
 * Half a cosine up from `start` to 1 over the fraction `rise` of the run, and another down to `floor` (Smith, Topin:
 * super-convergence, 2018). Default: 0.3 of the run up from 0.04, then down to 0.
 */
export function oneCycle(options: Options<'oneCycle'> = {}): Of<'oneCycle'> {
  return { name: 'oneCycle', rise: 0.3, start: 0.04, floor: 0, ...optionsOf('oneCycle()', options) };
}

/** Multiplied by `factor` after every step; a factor above 1 increases the rate. Default: 0.999. */
export function exponential(options: Options<'exponential'> = {}): Of<'exponential'> {
  return { name: 'exponential', warmup: 0, factor: 0.999, ...optionsOf('exponential()', options) };
}

/** The default settings of every schedule. */
const DEFAULTS: { readonly [N in ScheduleSettings['name']]: () => Of<N> } = {
  constant,
  step: stepDecay,
  cosine: cosineDecay,
  warmRestarts,
  oneCycle,
  exponential,
  reduceOnPlateau,
};

/** Names of all schedules. */
export const SCHEDULE_NAMES: readonly string[] = Object.keys(DEFAULTS);

/**
 * The settings of a schedule by its name.
 * @param changes settings that differ from the defaults
 * @throws UserError (wrong usage) that lists the names, or the settings, when the name or a setting is unknown
 */
export function scheduleByName(
  name: string,
  changes: Readonly<Record<string, number | boolean>> = {},
): ScheduleSettings {
  if (!SCHEDULE_NAMES.includes(name)) {
    throw new UserError(`there is no schedule "${name}"; choose one of ${SCHEDULE_NAMES.join(', ')}`, 2);
  }
  const { name: _, ...defaults } = DEFAULTS[name as ScheduleSettings['name']]();
  const unknown = Object.keys(changes).find((key) => !Object.hasOwn(defaults, key));
  if (unknown !== undefined)
    throw new UserError(
      `the schedule ${name} has no setting "${unknown}"; it has ${Object.keys(defaults).join(', ')}`,
      2,
    );
  return checkSchedule({ name, ...defaults, ...changes } as ScheduleSettings, 2);
}

function checkSchedule(settings: ScheduleSettings, exitStatus: 1 | 2): ScheduleSettings {
  return checkSettings(SCHEMA, settings, { what: 'schedule', key: 'name', exitStatus });
}

/**
 * The schedule with these settings: maps the number of completed steps to a multiple of the base rate.
 * @param steps of the whole run
 * @throws UserError that names the wrong setting
 */
export function createSchedule(settings: ScheduleSettings, steps: number): (step: number) => number {
  const checked = checkSchedule(settings, 1);
  if (checked.name === 'oneCycle') return (step) => cycle(checked, step / steps);
  const { warmup } = checked;
  // The rate of the first step is not 0, and the first step after the warm-up has the full rate.
  return (step) =>
    step < warmup ? (step + 1) / (warmup + 1) : decay(checked, step - warmup, steps - warmup);
}

/** @param step counted from the end of the warm-up, as `steps` are */
function decay(settings: Exclude<ScheduleSettings, Of<'oneCycle'>>, step: number, steps: number): number {
  switch (settings.name) {
    case 'constant':
    case 'reduceOnPlateau':
      return 1;
    case 'step':
      return power(settings.factor, Math.floor(step / settings.every));
    case 'exponential':
      return power(settings.factor, step);
    case 'cosine':
      return between(settings.floor, 1, step / steps);
    case 'warmRestarts': {
      let [start, period] = [0, settings.period];
      while (step - start >= period) {
        start += period;
        period *= settings.growth;
      }
      return between(settings.floor, 1, (step - start) / period);
    }
    default:
      settings satisfies never;
      return 1;
  }
}

/** @param part the completed fraction of the run */
function cycle({ rise, start, floor }: Of<'oneCycle'>, part: number): number {
  if (part < rise) return between(start, 1, 1 - part / rise);
  return between(floor, 1, rise === 1 ? 1 : (part - rise) / (1 - rise));
}

/** Half a cosine: `high` at 0, `low` at 1. */
function between(low: number, high: number, x: number): number {
  return low + ((high - low) * (1 + cosineOfPi(x))) / 2;
}

/** Exponentiation by squaring, with multiplications only: the same bits on every engine, unlike Math.pow. */
function power(base: number, exponent: number): number {
  let [result, square] = [1, base];
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= square;
    square *= square;
  }
  return result;
}
