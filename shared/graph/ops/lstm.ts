/*
 * Long short-term memory (Hochreiter, Schmidhuber 1997; with the forget gate of Gers et al. 2000), gates in Keras's order:
 *
 *     z = x_t W + h_(t-1) U + b      i, f, o = sigmoid(z_i, z_f, z_o)      g = tanh(z_g)      for z = [i | f | g | o]
 *     c_t = f c_(t-1) + i g          h_t = o tanh(c_t)
 *
 * backward, from the last step to the first, with what the step behind says of h_t and c_t:
 *
 *     dh = dy_t + dz_(t+1) U^T                        dc = dh o (1 - tanh(c_t)^2) + dc_(t+1) f_(t+1)
 *     dz_i = dc g i(1-i)      dz_f = dc c_(t-1) f(1-f)      dz_g = dc i (1-g^2)      dz_o = dh tanh(c_t) o(1-o)
 */
import type { KernelOp } from './op.js';
import {
  emitInputError,
  emitInputPart,
  emitPlaceSums,
  RecurrentAttributes,
  recurrentShape,
  sizeOf,
} from './recurrent.js';

type Role = 'kernel' | 'recurrentKernel' | 'bias';

const GATES = 4;

export const lstmOp: KernelOp<RecurrentAttributes, Role> = {
  kind: 'kernel',
  attributes: RecurrentAttributes,
  arity: { min: 1, max: 1 },
  roles: ['kernel', 'recurrentKernel', 'bias'],
  parameters(use) {
    const { features, units } = sizeOf(use);
    const width = GATES * units;
    return { kernel: [features, width], recurrentKernel: [units, width], bias: [width] };
  },
  shape: recurrentShape,
  backwardReads: { inputs: true, output: false },
  /** z, which becomes the gates and then dz; c; h of the step before. */
  saved(use) {
    const { steps, units } = sizeOf(use);
    return [steps * GATES * units, steps * units, steps * units];
  },
  gradientsFollowBackward: true,
  errorTerm: 'emitted',

  forward(to, call) {
    const { rows, weights, x, y } = call;
    const [z, cells, previous] = call.saved as [number, number, number];
    const size = sizeOf(call);
    emitInputPart(to, { rows, size, width: GATES * size.units, z }, { x: x[0], ...weights });
    to.emit('lstmForward', { z, weights: weights.recurrentKernel, cells, previous, y, rows, ...size.walk });
  },

  backward(to, call) {
    const { rows, weights, dy, dx } = call;
    const [z, cells] = call.saved as [number, number];
    const size = sizeOf(call);
    to.emit('lstmBackward', { z, weights: weights.recurrentKernel, cells, dy, rows, ...size.walk });
    emitInputError(to, { rows, size, width: GATES * size.units, z }, { kernel: weights.kernel, dx: dx[0] });
  },

  parameterGradients(to, call) {
    const { rows, leafRows, x, gradients } = call;
    const [z, , previous] = call.saved as [number, number, number];
    const size = sizeOf(call);
    const gates = { rows, leafRows, size, width: GATES * size.units, z };
    emitPlaceSums(to, gates, { a: x[0], m: size.features, product: gradients.kernel, bias: gradients.bias });
    const recurrent = { a: previous, m: size.units, product: gradients.recurrentKernel };
    emitPlaceSums(to, gates, { ...recurrent, bias: 0 });
  },
};
