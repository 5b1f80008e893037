/*
 * Gated recurrent unit (Cho et al. 2014) with the reset gate after the product, as in Keras (reset_after) and PyTorch; gates
 * in the order of Keras:
 *
 *     p = x_t W + b      s = h_(t-1) U + b'      z, r = sigmoid(p + s)      n = tanh(p_n + r s_n)      for p = [z | r | n]
 *     h_t = z h_(t-1) + (1 - z) n
 *
 * backward, from the last step to the first, with the error terms from step t + 1:
 *
 *     dh = dy_t + ds_(t+1) U^T + dh_(t+1) z_(t+1)
 *     dp_z = dh (h_(t-1) - n) z(1-z)      dp_n = dh (1-z) (1-n^2)      dp_r = dp_n s_n r(1-r)      ds = dp, but ds_n = dp_n r
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

type Role = 'kernel' | 'recurrentKernel' | 'bias' | 'recurrentBias';

const GATES = 3;

export const gruOp: KernelOp<RecurrentAttributes, Role> = {
  kind: 'kernel',
  attributes: RecurrentAttributes,
  arity: { min: 1, max: inputsMax(1) },
  roles: ['kernel', 'recurrentKernel', 'bias', 'recurrentBias'],
  parameters(use) {
    const { features, units } = sizeOf(use);
    const width = GATES * units;
    return {
      kernel: [features, width],
      recurrentKernel: [units, width],
      bias: [width],
      recurrentBias: [width],
    };
  },
  shape: (use) => recurrentShape(use),
  backwardReads: { inputs: true, output: false },
  /** p, overwritten by the gates and then by dp; s, overwritten by ds; h of the step before. */
  saved(use) {
    const { steps, units } = sizeOf(use);
    return [steps * GATES * units, steps * GATES * units, steps * units];
  },
  gradientsFollowBackward: true,
  errorTerm: 'emitted',

  forward(to, call) {
    const { rows, weights, x, y } = call;
    const [z, sums, previous] = call.saved as [number, number, number];
    const size = sizeOf(call);
    emitInputProduct(to, { rows, size, width: GATES * size.units, z }, { x: x[0], ...weights });
    const recurrent = { weights: weights.recurrentKernel, bias: weights.recurrentBias };
    const { mask, start } = optionalInputs(call.attributes, x);
    to.emit('gruForward', { z, ...recurrent, mask, start, sums, previous, y, rows, ...size.layer });
  },

  backward(to, call) {
    const { rows, weights, x, dy, dx } = call;
    const [z, sums, previous] = call.saved as [number, number, number];
    const size = sizeOf(call);
    const [{ mask }, error] = [optionalInputs(call.attributes, x), optionalInputs(call.attributes, dx)];
    const given = { weights: weights.recurrentKernel, mask, sums, previous };
    to.emit('gruBackward', { z, ...given, dy, dStart: error.start, rows, ...size.layer });
    emitMaskError(to, rows, size.steps, error.mask);
    emitInputError(to, { rows, size, width: GATES * size.units, z }, { kernel: weights.kernel, dx: dx[0] });
  },

  parameterGradients(to, call) {
    const { rows, leafRows, x, gradients } = call;
    const [z, sums, previous] = call.saved as [number, number, number];
    const size = sizeOf(call);
    const gates = { rows, leafRows, size, width: GATES * size.units };
    const input = { a: x[0], m: size.features, product: gradients.kernel, bias: gradients.bias };
    emitStepSums(to, { ...gates, z }, input);
    const recurrent = { product: gradients.recurrentKernel, bias: gradients.recurrentBias };
    emitStepSums(to, { ...gates, z: sums }, { a: previous, m: size.units, ...recurrent });
  },
};
