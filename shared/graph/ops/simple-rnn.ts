/*
 * The plain recurrent layer (Elman 1990):   h_t = tanh(x_t W + h_(t-1) U + b)
 *
 * backward, from the last step to the first:   dz_t = (dy_t + dz_(t+1) U^T) (1 - h_t^2)
 */
import type { KernelOp } from './op.js';
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

export const simpleRnnOp: KernelOp<RecurrentAttributes, Role> = {
  kind: 'kernel',
  attributes: RecurrentAttributes,
  arity: { min: 1, max: inputsMax(1) },
  roles: ['kernel', 'recurrentKernel', 'bias'],
  parameters(use) {
    const { features, units } = sizeOf(use);
    return { kernel: [features, units], recurrentKernel: [units, units], bias: [units] };
  },
  shape: (use) => recurrentShape(use),
  backwardReads: { inputs: true, output: false },
  /** z, overwritten by h and then by dz; h of the step before. */
  saved(use) {
    const { steps, units } = sizeOf(use);
    return [steps * units, steps * units];
  },
  gradientsFollowBackward: true,
  errorTerm: 'emitted',

  forward(to, call) {
    const { rows, weights, x, y } = call;
    const [z, previous] = call.saved as [number, number];
    const size = sizeOf(call);
    emitInputProduct(to, { rows, size, width: size.units, z }, { x: x[0], ...weights });
    const { mask, start } = optionalInputs(call.attributes, x);
    const given = { weights: weights.recurrentKernel, mask, start };
    to.emit('simpleRnnForward', { z, ...given, previous, y, rows, ...size.layer });
  },

  backward(to, call) {
    const { rows, weights, x, dy, dx } = call;
    const [z] = call.saved as [number];
    const size = sizeOf(call);
    const [{ mask }, error] = [optionalInputs(call.attributes, x), optionalInputs(call.attributes, dx)];
    const given = { weights: weights.recurrentKernel, mask };
    to.emit('simpleRnnBackward', { z, ...given, dy, dStart: error.start, rows, ...size.layer });
    emitMaskError(to, rows, size.steps, error.mask);
    emitInputError(to, { rows, size, width: size.units, z }, { kernel: weights.kernel, dx: dx[0] });
  },

  parameterGradients(to, call) {
    const { rows, leafRows, x, gradients } = call;
    const [z, previous] = call.saved as [number, number];
    const size = sizeOf(call);
    const gates = { rows, leafRows, size, width: size.units, z };
    emitStepSums(to, gates, { a: x[0], m: size.features, product: gradients.kernel, bias: gradients.bias });
    const recurrent = { a: previous, m: size.units, product: gradients.recurrentKernel };
    emitStepSums(to, gates, { ...recurrent, bias: 0 });
  },
};
