import type { LayerIdentity, Tensor } from '../graph.js';
import type { Initializer } from '../initializers.js';
import { checkLayerOptions } from '../layer-options.js';
import type { Regularizer } from '../regularizers.js';
import { applyDropout } from './dropout.js';
import { partsOf } from './parts.js';
import { flatten, slice } from './reshape.js';

/** Options of all recurrent layers. */
export interface RecurrentOptions {
  /** Whether there is an output at each step [steps, units], or only after the last [units]. Default: false. */
  readonly returnSequences?: boolean;
  /** Whether the state after the last step is returned with the output. Default: false. */
  readonly returnState?: boolean;
  /** Whether the sequence is processed from its end; outputs keep the positions of their inputs. Default: false. */
  readonly reverse?: boolean;
  /** Fraction of the inputs that is dropped in training, the same inputs at all steps; see dropout. Default: 0. */
  readonly dropout?: number;
  /** Penalty of the kernel: l1, l2 or l1L2 of regularizers.ts. Default: none. */
  readonly kernelRegularizer?: Regularizer | undefined;
  /** Penalty of the recurrent kernel. Default: none. */
  readonly recurrentRegularizer?: Regularizer | undefined;
  readonly name?: string;
}

/** Optional inputs of a recurrent layer beside its sequence. */
export interface RecurrentContext {
  /** [steps]: 0 for each step that is padding, where output and state do not change. Default: no padding. */
  readonly mask?: Tensor | undefined;
  /** The initial state, [units] each: h, and for an LSTM c. Default: zeros. */
  readonly initialState?: readonly Tensor[] | undefined;
}

/** A mapping from a sequence [steps, features] to an output. */
export type RecurrentLayer = (x: Tensor, context?: RecurrentContext) => Tensor;

/** A recurrent layer that also returns its state after the last step: h [units], and for an LSTM c [units]. */
export type StatefulLayer = (x: Tensor, context?: RecurrentContext) => [output: Tensor, ...state: Tensor[]];

type WithState = RecurrentOptions & { readonly returnState: true };
type WithoutState = RecurrentOptions & { readonly returnState?: false };

const GLOROT: Initializer = { kind: 'glorotUniform' };

/**
 * Long short-term memory over a sequence [steps, features], gates in the order i, f, c, o. Parameters: `<name>/kernel`
 * [features, 4 * units], `<name>/recurrentKernel` [units, 4 * units], `<name>/bias` [4 * units], initially ones for the
 * forget gate (Jozefowicz et al. 2015). With `returnState` it returns its output, h and c.
 */
export function lstm(units: number, options: WithState): StatefulLayer;
export function lstm(units: number, options?: WithoutState): RecurrentLayer;
export function lstm(units: number, options: RecurrentOptions = {}): RecurrentLayer | StatefulLayer {
  return recurrent('lstm', units, options, { bias: { kind: 'forgetGateOnes' } });
}

/**
 * Gated recurrent units over a sequence [steps, features], gates in the order z, r, n, with the reset gate after the product.
 * Parameters: `<name>/kernel` [features, 3 * units], `<name>/recurrentKernel` [units, 3 * units], and [3 * units] each
 * `<name>/bias` and `<name>/recurrentBias`. With `returnState` it returns its output and h.
 */
export function gru(units: number, options: WithState): StatefulLayer;
export function gru(units: number, options?: WithoutState): RecurrentLayer;
export function gru(units: number, options: RecurrentOptions = {}): RecurrentLayer | StatefulLayer {
  return recurrent('gru', units, options);
}

/**
 * The plain recurrent layer h = tanh(x W + h' U + b) over a sequence [steps, features]. Parameters: `<name>/kernel`
 * [features, units], `<name>/recurrentKernel` [units, units], `<name>/bias` [units]. With `returnState` it returns its
 * output and h.
 */
export function simpleRnn(units: number, options: WithState): StatefulLayer;
export function simpleRnn(units: number, options?: WithoutState): RecurrentLayer;
export function simpleRnn(units: number, options: RecurrentOptions = {}): RecurrentLayer | StatefulLayer {
  return recurrent('simpleRnn', units, options);
}

function recurrent(
  op: 'lstm' | 'gru' | 'simpleRnn',
  units: number,
  options: RecurrentOptions,
  initializers: Readonly<Record<string, Initializer>> = {},
): RecurrentLayer | StatefulLayer {
  checkLayerOptions(`${op}()`, options, [
    'returnSequences',
    'returnState',
    'reverse',
    'dropout',
    'kernelRegularizer',
    'recurrentRegularizer',
    'name',
  ]);
  const { returnSequences = false, returnState = false, reverse = false, dropout = 0, name } = options;
  const { kernelRegularizer: kernel, recurrentRegularizer: recurrentKernel } = options;
  const layer: LayerIdentity = { kind: op, name };
  const part = partsOf(layer);
  const run = (x: Tensor, { mask, initialState }: RecurrentContext): Tensor => {
    const sequence = applyDropout(x, dropout, { layer, part: 'dropout', sharedAxes: 1 });
    // Attributes with default values are left out, so that models are equal to those of earlier versions.
    const more = {
      ...(mask && { masked: true }),
      ...(initialState && { initialState: true }),
      ...(returnState && op === 'lstm' && { returnCell: true }),
    };
    return x.graph.add({
      layer,
      op,
      inputs: [sequence, ...(mask ? [mask] : []), ...(initialState ?? [])],
      attributes: { units, returnSequences, reverse, ...more },
      initializers: { kernel: GLOROT, recurrentKernel: GLOROT, ...initializers },
      regularizers: { kernel, recurrentKernel },
    });
  };
  if (!returnState) return (x, context = {}) => run(x, context);

  const cut = (from: Tensor, what: string, at: number, to?: number): Tensor =>
    part(from.graph, what, (full) => slice(at, to, { name: full }))(from);
  const vector = (from: Tensor, what: string, at: number): Tensor =>
    part(from.graph, what, (full) => flatten({ name: full }))(cut(from, `${what}Place`, at, at + 1));
  return (x, context = {}) => {
    const all = run(x, context);
    const steps = x.shape[0] as number;
    const hasCell = op === 'lstm';
    // The cell follows the outputs; the last output is h.
    const last = returnSequences && !reverse ? steps - 1 : 0;
    const h = returnSequences || hasCell ? vector(all, 'h', last) : all;
    const output = !returnSequences ? h : hasCell ? cut(all, 'output', 0, steps) : all;
    return hasCell ? [output, h, vector(all, 'c', returnSequences ? steps : 1)] : [output, h];
  };
}
