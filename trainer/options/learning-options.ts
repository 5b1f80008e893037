import { UserError } from '../../shared/errors.js';
import { type Clipping, clipByGlobalNorm, clipByNorm, clipByValue } from '../../shared/optim/clipping.js';
import { checkEarlyStopping, type EarlyStopping, earlyStopping } from '../../shared/optim/early-stopping.js';
import { checkGradientNoise, type GradientNoise, gradientNoise } from '../../shared/optim/gradient-noise.js';
import { checkLocalUpdates, localUpdates, type Sync } from '../../shared/optim/local-updates.js';
import { type ScheduleSettings, scheduleByName } from '../../shared/optim/schedule.js';
import { headAndSettings, positiveNumber, wholeNumber } from './option-values.js';

/*
 * Options that decide how a network learns, besides the optimizer. Every function throws a UserError (wrong usage) that
 * names the option and what it takes.
 */

/** Most evaluations that early stopping may wait for an improvement. */
const PATIENCE_MAX = 1e6;

/** Options that exclude each other. */
interface ClippingOptions {
  clipNorm?: string;
  clipTensorNorm?: string;
  clipValue?: string;
}

export function parseSchedule(text: string | undefined): ScheduleSettings | undefined {
  if (text === undefined) return undefined;
  const { head, settings } = headAndSettings('--schedule', text);
  return scheduleByName(head, settings);
}

/** `step`, or `local` with settings. */
export function parseSync(text: string | undefined): Sync | undefined {
  if (text === undefined || text === 'step') return text;
  const { head, settings } = headAndSettings('--sync', text);
  if (head !== 'local')
    throw new UserError(`--sync takes step, or local:replicas=R,steps=H, not "${text}"`, 2);
  return checkLocalUpdates(localUpdates(settings), 2);
}

/** @param recipes what the recipe asks for; 0 on the command line switches it off */
export function parseEarlyStopping(
  text: string | undefined,
  recipes: EarlyStopping | undefined,
): EarlyStopping | undefined {
  if (text === undefined) return recipes;
  const { head, settings } = headAndSettings('--early-stopping', text);
  const patience = wholeNumber('--early-stopping', head, { least: 0, most: PATIENCE_MAX });
  return patience === 0 ? undefined : checkEarlyStopping(earlyStopping({ ...settings, patience }), 2);
}

/** @param recipes what the recipe asks for; 0 on the command line switches it off */
export function parseGradientNoise(
  text: string | undefined,
  recipes: GradientNoise | undefined,
): GradientNoise | undefined {
  if (text === undefined) return recipes;
  const { head, settings } = headAndSettings('--gradient-noise', text);
  if (head === '0') return undefined;
  const eta = positiveNumber('--gradient-noise', head);
  return checkGradientNoise(gradientNoise({ ...settings, eta }), 2);
}

export function parseClipping({
  clipNorm,
  clipTensorNorm,
  clipValue,
}: ClippingOptions): Clipping | undefined {
  const given = [
    { option: '--clip-norm', text: clipNorm, clip: clipByGlobalNorm },
    { option: '--clip-tensor-norm', text: clipTensorNorm, clip: clipByNorm },
    { option: '--clip-value', text: clipValue, clip: clipByValue },
  ].filter(({ text }) => text !== undefined);
  const [first, second] = given;
  if (first !== undefined && second !== undefined)
    throw new UserError(`${first.option} and ${second.option} exclude each other: give one of them`, 2);
  return first?.clip(positiveNumber(first.option, first.text as string));
}
