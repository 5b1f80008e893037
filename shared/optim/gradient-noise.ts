/*
 * Gradient noise (Neelakantan et al.: "Adding gradient noise improves learning for very deep networks", 2015): to each
 * element of the gradient, after clipping, a normally distributed number is added that decreases during the run,
 *
 *     g = g + N(0, sigma^2)     sigma^2 = eta / (1 + t)^gamma     t: steps done
 *
 * It helps escape bad initial weights. The numbers are drawn by a counter, with the seed of the run, the name of the parameter
 * and the step, so they do not depend on workers and threads.
 */
import * as v from 'valibot';
import { optionsOf } from '../nearest.js';
import { checkSettings } from './check-settings.js';

export const GradientNoiseSchema = v.strictObject({
  eta: v.pipe(v.number(), v.gtValue(0), v.finite()),
  gamma: v.pipe(v.number(), v.minValue(0), v.finite()),
});
export type GradientNoise = v.InferOutput<typeof GradientNoiseSchema>;

/** Settings; default (as in the paper): eta 0.01 (the paper also uses 0.3 and 1), gamma 0.55. */
export function gradientNoise(options: Partial<GradientNoise> = {}): GradientNoise {
  return { eta: 0.01, gamma: 0.55, ...optionsOf('gradientNoise()', options) };
}

/**
 * Checks the settings of gradient noise.
 * @param exitStatus 2 for settings from the command line
 * @throws UserError that names the wrong setting
 */
export function checkGradientNoise(settings: GradientNoise, exitStatus: 1 | 2 = 1): GradientNoise {
  return checkSettings(GradientNoiseSchema, settings, { what: 'gradient noise', key: 'eta', exitStatus });
}
