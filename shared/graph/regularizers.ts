/*
 * Regularisation: what a parameter adds to the loss by being large, l1 sum |w| + l2 sum w^2, as Keras counts it. Its
 * derivative, l1 sign(w) + 2 l2 w, joins the gradient once for a step, when the gradient of the batch is complete: whoever
 * computed it, and in whatever parts. The loss that is reported is that of the data alone.
 */
import * as v from 'valibot';

const Strength = v.pipe(v.number(), v.minValue(0), v.finite());

/** As it stands in a model. */
export const RegularizerSchema = v.strictObject({ l1: Strength, l2: Strength });
export type Regularizer = v.InferOutput<typeof RegularizerSchema>;

/** Weights that matter little become 0 (Tibshirani: the lasso, 1996). Default: 0.01. */
export function l1(strength = 0.01): Regularizer {
  return { l1: strength, l2: 0 };
}

/** Weights stay small, none becomes 0 (Hoerl, Kennard: ridge regression, 1970). Default: 0.01. */
export function l2(strength = 0.01): Regularizer {
  return { l1: 0, l2: strength };
}

/** Both at once (Zou, Hastie: the elastic net, 2005). Default: 0.01 each. */
export function l1L2(strengths: Partial<Regularizer> = {}): Regularizer {
  return { l1: 0.01, l2: 0.01, ...strengths };
}
