import type { LayerIdentity, Tensor } from '../graph.js';
import type { Initializer } from '../initializers.js';
import type { Regularizer } from '../regularizers.js';
import { applyDropout } from './dropout.js';
import { partsOf } from './parts.js';
import { flatten, slice } from './reshape.js';

/** Options that all recurrent layers have. */
export interface RecurrentOptions {
  /** An output at each step [steps, units]; default: only after the last step [units]. */
  readonly returnSequences?: boolean;
  /** Whether the state after the last step is returned beside the output. Default: false. */
  readonly returnState?: boolean;
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

/** What a recurrent layer is told beside its sequence. */
export interface RecurrentContext {
  /** [steps]: 0 for each step that is padding, at which output and state stay what they were. Default: no padding. */
  readonly mask?: Tensor | undefined;
  /** What it begins with, [units] each: h, and of an LSTM c. Default: zeros. */
  readonly initialState?: readonly Tensor[] | undefined;
}

/** A mapping from a sequence [steps, features] to an output. */
export type RecurrentLayer = (x: Tensor, context?: RecurrentContext) => Tensor;

/** The same that returns its state after the last step beside it: h [units], and of an LSTM c [units]. */
export type StatefulLayer = (x: Tensor, context?: RecurrentContext) => [output: Tensor, ...state: Tensor[]];

type WithState = RecurrentOptions & { readonly returnState: true };
type WithoutState = RecurrentOptions & { readonly returnState?: false };

const GLOROT: Initializer = { kind: 'glorotUniform' };

/**
 * Long short-term memory over a sequence [steps, features], gates in the order i, f, c, o. Parameters: `<name>/kernel`
 * [features, 4 * units], `<name>/recurrentKernel` [units, 4 * units], `<name>/bias` [4 * units], which begins with ones for
 * the forget gate (Jozefowicz et al. 2015). With `returnState` it returns its output, h and c.
 */
export function lstm(units: number, options: WithState): StatefulLayer;
export function lstm(units: number, options?: WithoutState): RecurrentLayer;
export function lstm(units: number, options: RecurrentOptions = {}): RecurrentLayer | StatefulLayer {
  return recurrent('lstm', units, options, { bias: { kind: 'forgetGateOnes' } });
}

/**
 * Gated recurrent units over a sequence [steps, features], gates in the order z, r, n, reset behind the product.
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
  const { returnSequences = false, returnState = false, reverse = false, dropout = 0, name } = options;
  const { kernelRegularizer: kernel, recurrentRegularizer: recurrentKernel } = options;
  const layer: LayerIdentity = { kind: op, name };
  const part = partsOf(layer);
  const run = (x: Tensor, { mask, initialState }: RecurrentContext): Tensor => {
    const sequence = applyDropout(x, dropout, { layer, part: 'dropout', sharedAxes: 1 });
    // Attributes that are left out keep models the same as those of earlier versions.
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
    // Behind the outputs lies the cell; the last output is h.
    const last = returnSequences && !reverse ? steps - 1 : 0;
    const h = returnSequences || hasCell ? vector(all, 'h', last) : all;
    const output = !returnSequences ? h : hasCell ? cut(all, 'output', 0, steps) : all;
    return hasCell ? [output, h, vector(all, 'c', returnSequences ? steps : 1)] : [output, h];
  };
}
