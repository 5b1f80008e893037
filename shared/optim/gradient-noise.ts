/*
 * Gradient noise (Neelakantan et al.: "Adding gradient noise improves learning for very deep networks", 2015): to each
 * element of the gradient, clipped or not, comes a normally distributed number that gets smaller as the run goes on,
 *
 *     g = g + N(0, sigma^2)     sigma^2 = eta / (1 + t)^gamma     t: steps done
 *
 * It shakes a network loose that has started badly. Its numbers are drawn by a counter, keyed by the seed of the run, the
 * name of the parameter and the step: no worker and no thread shows in them.
 */
import * as v from 'valibot';
import { checkSettings } from './check-settings.js';

const SCHEMA = v.strictObject({
  eta: v.pipe(v.number(), v.gtValue(0), v.finite()),
  gamma: v.pipe(v.number(), v.minValue(0), v.finite()),
});
export type GradientNoise = v.InferOutput<typeof SCHEMA>;

/** Settings; default (as in the paper): eta 0.01 (0.3 and 1 are tried there too), gamma 0.55. */
export function gradientNoise(options: Partial<GradientNoise> = {}): GradientNoise {
  return { eta: 0.01, gamma: 0.55, ...options };
}

/**
 * Settings of gradient noise, wherever they come from.
 * @param exitStatus 2 where they were typed
 * @throws UserError that names the setting that is wrong
 */
export function checkGradientNoise(settings: GradientNoise, exitStatus: 1 | 2 = 1): GradientNoise {
  return checkSettings(SCHEMA, settings, { what: 'gradient noise', key: 'eta', exitStatus });
}
