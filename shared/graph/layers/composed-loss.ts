import type { ComposedLoss, Tensor } from '../graph.js';
import type { LossSettings } from '../losses/loss.js';

/**
 * A loss that is composed of ops, for `graph.model`. The model stores the ops, so workers need no code.
 *
 * @param compose computes the loss of a sample from the output of the model and from fields of the data. Of a tensor that is
 *   not a single number, the mean over its elements is the loss
 */
export function defineLoss(compose: ComposedLoss['compose']): ComposedLoss {
  return { compose };
}

/**
 * The terms of a loss for a sample as a tensor, to be weighted and combined: a single number, or one for each position.
 * As in `graph.model`, cross-entropy of a softmax or a sigmoid is computed from its input.
 * @throws UserError when the loss does not accept such a prediction
 */
export function lossTerms(prediction: Tensor, loss: LossSettings): Tensor {
  return prediction.graph.lossTerms(prediction, loss);
}
