import { UserError } from '../../errors.js';
import { checkOptionNames } from '../../nearest.js';
import type { Tensor } from '../graph.js';
import type { OwnOptimizer } from '../model.js';

/** How the parameters of a layer learn. */
export interface LearningOptions {
  /** Whether the parameters are trained; false freezes them. Default: true. */
  readonly trainable?: boolean;
  /** Multiple of the learning rate of the run, above 0. Default: 1. */
  readonly rate?: number;
  /** Multiple of the weight decay of the run, 0 or more. Default: 1. */
  readonly decay?: number;
  /**
   * An optimizer of its own, such as sgd({ learningRate: 0.1 }), with its own learning rate and weight decay, which follow the
   * schedule of the run. Default: the optimizer of the run.
   */
  readonly optimizer?: OwnOptimizer;
}

/**
 * Says how the parameters of a layer learn, also of one that consists of layers: the same layer, whose parameters are frozen,
 * or learn at another rate or by another optimizer. Inside of another `learning`, rates and decays are multiplied, what is frozen
 * stays frozen, and the innermost optimizer is used.
 * Frozen batch normalization uses its moving averages, as in Keras.
 * @throws UserError when an option is unknown or out of range
 */
export function learning<Arguments extends readonly unknown[]>(
  layer: (...inputs: Arguments) => Tensor,
  options: LearningOptions,
): (...inputs: Arguments) => Tensor {
  checkOptionNames('learning()', options, ['trainable', 'rate', 'decay', 'optimizer']);
  const { trainable = true, rate = 1, decay = 1, optimizer } = options;
  if (!(rate > 0 && Number.isFinite(rate)))
    throw new UserError(
      `learning() takes a rate above 0, not ${rate}; use trainable: false to freeze a layer`,
    );
  if (!(decay >= 0 && Number.isFinite(decay)))
    throw new UserError(`learning() takes a decay of 0 or more, not ${decay}`);
  if (optimizer !== undefined && typeof (optimizer as Partial<OwnOptimizer> | null)?.name !== 'string')
    throw new UserError('learning() takes the settings of an optimizer, such as sgd({ learningRate: 0.1 })');
  return (...inputs) => {
    const [first] = inputs.flat() as Partial<Tensor>[];
    if (first?.graph === undefined)
      throw new UserError('learning() takes a layer, and its result takes tensors');
    return first.graph.learning({ trainable, rate, decay, optimizer }, () => layer(...inputs));
  };
}
