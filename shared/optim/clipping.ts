import * as v from 'valibot';
import { checkSettings } from './check-settings.js';

const Limit = v.pipe(v.number(), v.gtValue(0), v.finite());
export const ClippingSchema = v.strictObject({
  by: v.picklist(['value', 'norm', 'globalNorm']),
  limit: Limit,
});

/**
 * Gradient clipping: how large gradients are limited before the optimizer uses them.
 *
 *     value        every element g becomes min(max(g, -limit), limit)
 *     norm         the gradient of each parameter is multiplied by limit / norm if its Euclidean norm exceeds the limit
 *     globalNorm   the whole gradient is multiplied by limit / norm if its Euclidean norm exceeds the limit, which keeps
 *                  its direction (Pascanu, Mikolov, Bengio 2013)
 */
export type Clipping = v.InferOutput<typeof ClippingSchema>;

/** Limits every element of the gradient to [-limit, limit]. */
export function clipByValue(limit: number): Clipping {
  return { by: 'value', limit };
}

/** Limits the norm of the gradient of each parameter. */
export function clipByNorm(limit: number): Clipping {
  return { by: 'norm', limit };
}

/** Limits the norm of the whole gradient. */
export function clipByGlobalNorm(limit: number): Clipping {
  return { by: 'globalNorm', limit };
}

/**
 * Checks the settings of clipping.
 * @throws UserError that names the wrong setting
 */
export function checkClipping(settings: Clipping): Clipping {
  return checkSettings(ClippingSchema, settings, { what: 'clipping', key: 'by' });
}
