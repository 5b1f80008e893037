/*
 * Regularisation: the penalty l1 sum |w| + l2 sum w^2 of a parameter, as in Keras. Its derivative, l1 sign(w) + 2 l2 w, is
 * added to the gradient once a step, when the gradient of the whole batch is complete, so it does not depend on how the
 * batch was split. The reported loss does not include the penalty.
 */

import * as v from 'valibot';
import { checkOptionNames } from '../nearest.js';

const Strength = v.pipe(v.number(), v.minValue(0), v.finite());

/** A regulariser in a model. */
export const RegularizerSchema = v.strictObject({ l1: Strength, l2: Strength });
export type Regularizer = v.InferOutput<typeof RegularizerSchema>;

/** L1: unimportant weights become 0 (Tibshirani: the lasso, 1996). Default: 0.01. */
export function l1(strength = 0.01): Regularizer {
  return { l1: strength, l2: 0 };
}

/** L2: weights stay small, but do not become 0 (Hoerl, Kennard: ridge regression, 1970). Default: 0.01. */
export function l2(strength = 0.01): Regularizer {
  return { l1: 0, l2: strength };
}

/** L1 and L2 (Zou, Hastie: the elastic net, 2005). Default: 0.01 each. */
export function l1L2(strengths: Partial<Regularizer> = {}): Regularizer {
  checkOptionNames('l1L2()', strengths, ['l1', 'l2']);
  return { l1: 0.01, l2: 0.01, ...strengths };
}
