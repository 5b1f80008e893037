import type { Layer, LayerIdentity } from '../graph.js';
import type { Initializer } from '../initializers.js';
import type { Regularizer } from '../regularizers.js';
import { applyDropout } from './dropout.js';

/** Options that all recurrent layers have. */
export interface RecurrentOptions {
  /** An output at each step [steps, units]; default: only after the last step [units]. */
  readonly returnSequences?: boolean;
  /** Walk the sequence from its end; outputs lie at the places of their inputs. Default: false. */
  readonly reverse?: boolean;
  /** Share of the inputs that is dropped in training, the same ones at all steps; see dropout. Default: 0. */
  readonly dropout?: number;
  /** What the kernel adds to the loss by being large: l1, l2 or l1L2 of regularizers.ts. Default: nothing. */
  readonly kernelRegularizer?: Regularizer | undefined;
  /** The same for the recurrent kernel. */
  readonly recurrentRegularizer?: Regularizer | undefined;
  readonly name?: string;
}

const GLOROT: Initializer = { kind: 'glorotUniform' };

/**
 * Long short-term memory over a sequence [steps, features], gates in the order i, f, c, o. Parameters: `<name>/kernel`
 * [features, 4 * units], `<name>/recurrentKernel` [units, 4 * units], `<name>/bias` [4 * units], which begins with ones for
 * the forget gate (Jozefowicz et al. 2015).
 */
export function lstm(units: number, options: RecurrentOptions = {}): Layer {
  return recurrent('lstm', units, options, { bias: { kind: 'forgetGateOnes' } });
}

/**
 * Gated recurrent units over a sequence [steps, features], gates in the order z, r, n, reset behind the product.
 * Parameters: `<name>/kernel` [features, 3 * units], `<name>/recurrentKernel` [units, 3 * units], and [3 * units] each
 * `<name>/bias` and `<name>/recurrentBias`.
 */
export function gru(units: number, options: RecurrentOptions = {}): Layer {
  return recurrent('gru', units, options);
}

/**
 * The plain recurrent layer h = tanh(x W + h' U + b) over a sequence [steps, features]. Parameters: `<name>/kernel`
 * [features, units], `<name>/recurrentKernel` [units, units], `<name>/bias` [units].
 */
export function simpleRnn(units: number, options: RecurrentOptions = {}): Layer {
  return recurrent('simpleRnn', units, options);
}

function recurrent(
  op: 'lstm' | 'gru' | 'simpleRnn',
  units: number,
  options: RecurrentOptions,
  initializers: Readonly<Record<string, Initializer>> = {},
): Layer {
  const { returnSequences = false, reverse = false, dropout = 0, name } = options;
  const { kernelRegularizer: kernel, recurrentRegularizer: recurrentKernel } = options;
  const layer: LayerIdentity = { kind: op, name };
  return (x) =>
    x.graph.add({
      layer,
      op,
      inputs: [applyDropout(x, dropout, { layer, part: 'dropout', sharedAxes: 1 })],
      attributes: { units, returnSequences, reverse },
      initializers: { kernel: GLOROT, recurrentKernel: GLOROT, ...initializers },
      regularizers: { kernel, recurrentKernel },
    });
}
