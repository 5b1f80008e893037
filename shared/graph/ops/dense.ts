/*
 * dense, along the last axis:  y = x W + b      x [.., inputs]   W [inputs, units]   b [units]   y [.., units]
 *
 *     dx = dy W^T      dW = sum over samples of x^T dy      db = sum over samples of dy
 *
 * A sample with more than one axis holds several vectors ("positions": time steps, pixels). They are contiguous, so the
 * kernels process rows * positions rows, and leaves of leafRows * positions rows.
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { lastOf, positionsOf } from '../shape.js';
import { type KernelOp, Size } from './op.js';

const DenseAttributes = v.strictObject({ units: Size, useBias: v.boolean() });
export type DenseAttributes = v.InferOutput<typeof DenseAttributes>;

const NO_ACTIVATION = 0;

export const denseOp: KernelOp<DenseAttributes, 'kernel' | 'bias'> = {
  kind: 'kernel',
  attributes: DenseAttributes,
  arity: { min: 1, max: 1 },
  roles: ['kernel', 'bias'],
  parameters({ inputs: [input], attributes: { units, useBias } }) {
    const kernel = [lastOf(input), units];
    return useBias ? { kernel, bias: [units] } : { kernel };
  },
  shape({ name, inputs: [input], attributes }) {
    if (input.length === 0) {
      throw new UserError(
        `layer ${name}: a single number (shape []) has no axis to connect; reshape it to [1]`,
      );
    }
    return [...input.slice(0, -1), attributes.units];
  },
  backwardReads: { inputs: true, output: false },
  errorTerm: 'emitted',

  forward(to, { rows, inputs: [input], attributes, weights, x, y }) {
    to.emit('matmul', {
      a: x[0],
      b: weights.kernel,
      bias: weights.bias,
      out: y,
      rows: rows * positionsOf(input),
      inner: lastOf(input),
      cols: attributes.units,
      activation: NO_ACTIVATION,
    });
  },

  backward(to, { rows, inputs: [input], attributes, weights, dy, dx }) {
    to.emit('matmulTransposedB', {
      a: dy,
      b: weights.kernel,
      out: dx[0],
      rows: rows * positionsOf(input),
      inner: attributes.units,
      cols: lastOf(input),
    });
  },

  parameterGradients(to, { rows, leafRows, inputs: [input], attributes, x, dy, gradients }) {
    const positions = positionsOf(input);
    const range = { rows: rows * positions, leafRows: leafRows * positions };
    const { kernel, bias } = gradients;
    if (kernel !== 0) {
      const [m, n] = [lastOf(input), attributes.units];
      to.emit('treeMatmulTransposedA', { a: x[0], b: dy, out: kernel, m, n, ...range });
    }
    if (bias !== 0) to.emit('treeSumRows', { a: dy, out: bias, n: attributes.units, ...range });
  },
};
