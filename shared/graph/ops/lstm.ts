/*
 * Long short-term memory (Hochreiter, Schmidhuber 1997; with the forget gate of Gers et al. 2000), gates in the order of Keras:
 *
 *     z = x_t W + h_(t-1) U + b      i, f, o = sigmoid(z_i, z_f, z_o)      g = tanh(z_g)      for z = [i | f | g | o]
 *     c_t = f c_(t-1) + i g          h_t = o tanh(c_t)
 *
 * backward, from the last step to the first, with the error terms from step t + 1:
 *
 *     dh = dy_t + dz_(t+1) U^T                        dc = dh o (1 - tanh(c_t)^2) + dc_(t+1) f_(t+1)
 *     dz_i = dc g i(1-i)      dz_f = dc c_(t-1) f(1-f)      dz_g = dc i (1-g^2)      dz_o = dh tanh(c_t) o(1-o)
 *
 * With `returnCell` the output has one more row after the others, for c of the last step.
 */
import * as v from 'valibot';
import type { KernelOp, OpUse } from './op.js';
import {
  emitInputError,
  emitInputProduct,
  emitMaskError,
  emitStepSums,
  inputsMax,
  optionalInputs,
  RecurrentAttributes,
  recurrentShape,
  sizeOf,
} from './recurrent.js';

type Role = 'kernel' | 'recurrentKernel' | 'bias';

const LstmAttributes = v.strictObject({
  ...RecurrentAttributes.entries,
  returnCell: v.optional(v.boolean(), false),
});
export type LstmAttributes = v.InferOutput<typeof LstmAttributes>;

const GATES = 4;
/** Number of tensors of a state: h and c. */
const STATES = 2;

/** The sizes of a use. */
function lstmSizeOf(use: Pick<OpUse<LstmAttributes>, 'attributes' | 'inputs'>) {
  const size = sizeOf(use);
  return { ...size, layer: { ...size.layer, withCell: Number(use.attributes.returnCell) } };
}

export const lstmOp: KernelOp<LstmAttributes, Role> = {
  kind: 'kernel',
  attributes: LstmAttributes,
  arity: { min: 1, max: inputsMax(STATES) },
  roles: ['kernel', 'recurrentKernel', 'bias'],
  parameters(use) {
    const { features, units } = sizeOf(use);
    const width = GATES * units;
    return { kernel: [features, width], recurrentKernel: [units, width], bias: [width] };
  },
  shape(use) {
    const shape = recurrentShape(use, STATES);
    const { units, returnSequences, returnCell } = use.attributes;
    return returnCell ? [(returnSequences ? (shape[0] as number) : 1) + 1, units] : shape;
  },
  backwardReads: { inputs: true, output: false },
  /** z, overwritten by the gates and then by dz; c; h of the step before. */
  saved(use) {
    const { steps, units } = sizeOf(use);
    return [steps * GATES * units, steps * units, steps * units];
  },
  gradientsFollowBackward: true,
  errorTerm: 'emitted',

  forward(to, call) {
    const { rows, weights, x, y } = call;
    const [z, cells, previous] = call.saved as [number, number, number];
    const size = lstmSizeOf(call);
    emitInputProduct(to, { rows, size, width: GATES * size.units, z }, { x: x[0], ...weights });
    const given = { weights: weights.recurrentKernel, ...optionalInputs(call.attributes, x) };
    to.emit('lstmForward', { z, ...given, cells, previous, y, rows, ...size.layer });
  },

  backward(to, call) {
    const { rows, weights, x, dy, dx } = call;
    const [z, cells] = call.saved as [number, number];
    const size = lstmSizeOf(call);
    const [{ mask, startCell }, error] = [
      optionalInputs(call.attributes, x),
      optionalInputs(call.attributes, dx),
    ];
    const given = { weights: weights.recurrentKernel, mask, startCell, cells };
    const outputs = { dStart: error.start, dStartCell: error.startCell };
    to.emit('lstmBackward', { z, ...given, dy, ...outputs, rows, ...size.layer });
    emitMaskError(to, rows, size.steps, error.mask);
    emitInputError(to, { rows, size, width: GATES * size.units, z }, { kernel: weights.kernel, dx: dx[0] });
  },

  parameterGradients(to, call) {
    const { rows, leafRows, x, gradients } = call;
    const [z, , previous] = call.saved as [number, number, number];
    const size = sizeOf(call);
    const gates = { rows, leafRows, size, width: GATES * size.units, z };
    emitStepSums(to, gates, { a: x[0], m: size.features, product: gradients.kernel, bias: gradients.bias });
    const recurrent = { a: previous, m: size.units, product: gradients.recurrentKernel };
    emitStepSums(to, gates, { ...recurrent, bias: 0 });
  },
};
