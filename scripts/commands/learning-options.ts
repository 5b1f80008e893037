import { UserError } from '../../shared/errors.js';
import { type Clipping, clipByGlobalNorm, clipByNorm, clipByValue } from '../../shared/optim/clipping.js';
import { checkEarlyStopping, type EarlyStopping, earlyStopping } from '../../shared/optim/early-stopping.js';
import { checkGradientNoise, type GradientNoise, gradientNoise } from '../../shared/optim/gradient-noise.js';
import { type ScheduleSettings, scheduleByName } from '../../shared/optim/schedule.js';
import { positiveNumber, wholeNumber } from './numbers.js';
import { parseSettings } from './settings-text.js';

/* Options that tell how a network learns, beside its optimizer. All of them throw UserErrors (wrong usage). */

/** Evaluations that a run may wait for a better one. */
const MOST_PATIENCE = 1e6;

/** Options of which at most one is given. */
interface ClippingOptions {
  clipNorm?: string;
  clipTensorNorm?: string;
  clipValue?: string;
}

export function parseSchedule(text: string | undefined): ScheduleSettings | undefined {
  if (text === undefined) return undefined;
  const { head, changes } = parseSettings('--schedule', text);
  return scheduleByName(head, changes);
}

/** 0 takes back what a recipe asks for. */
export function parseEarlyStopping(
  text: string | undefined,
  otherwise: EarlyStopping | undefined,
): EarlyStopping | undefined {
  if (text === undefined) return otherwise;
  const { head, changes } = parseSettings('--early-stopping', text);
  const patience = wholeNumber('--early-stopping', head, { least: 0, most: MOST_PATIENCE });
  return patience === 0 ? undefined : checkEarlyStopping(earlyStopping({ ...changes, patience }), 2);
}

/** 0 takes back what a recipe asks for. */
export function parseGradientNoise(
  text: string | undefined,
  otherwise: GradientNoise | undefined,
): GradientNoise | undefined {
  if (text === undefined) return otherwise;
  const { head, changes } = parseSettings('--gradient-noise', text);
  if (head === '0') return undefined;
  const eta = positiveNumber('--gradient-noise', head);
  return checkGradientNoise(gradientNoise({ ...changes, eta }), 2);
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
