import * as v from 'valibot';
import { checkSettings } from './check-settings.js';

const Limit = v.pipe(v.number(), v.gtValue(0), v.finite());
const SCHEMA = v.strictObject({ by: v.picklist(['value', 'norm', 'globalNorm']), limit: Limit });

/**
 * How gradients that are too large are made smaller before the optimizer sees them.
 *
 *     value        every element g becomes min(max(g, -limit), limit)
 *     norm         each parameter's gradient is multiplied by limit / norm where its own Euclidean norm exceeds the limit
 *     globalNorm   all of the gradient is multiplied by limit / norm where its Euclidean norm exceeds the limit, which
 *                  keeps its direction (Pascanu, Mikolov, Bengio 2013)
 */
export type Clipping = v.InferOutput<typeof SCHEMA>;

/** No element of the gradient is further from 0 than this. */
export function clipByValue(limit: number): Clipping {
  return { by: 'value', limit };
}

/** The gradient of no parameter is longer than this. */
export function clipByNorm(limit: number): Clipping {
  return { by: 'norm', limit };
}

/** The gradient as a whole is no longer than this. */
export function clipByGlobalNorm(limit: number): Clipping {
  return { by: 'globalNorm', limit };
}

/**
 * Settings of a clipping, wherever they come from.
 * @throws UserError that names the setting that is wrong
 */
export function checkClipping(settings: Clipping): Clipping {
  return checkSettings(SCHEMA, settings, { what: 'clipping', key: 'by' });
}
