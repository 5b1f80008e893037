/*
 * layerNormalization, along the last axis of n elements (Ba, Kiros, Hinton 2016):
 *
 *     h = (x - mean) / sqrt(variance + epsilon)      y = h gamma + beta
 *
 *     g = dy gamma      dx = (g - sum(g) / n - h sum(g h) / n) / sqrt(variance + epsilon)
 *     dgamma = sum over samples of dy h      dbeta = sum over samples of dy
 *
 * Mean and variance are those of one vector, so samples are independent.
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import { lastOf, positionsOf } from '../shape.js';
import type { KernelOp } from './op.js';

const LayerNormalizationAttributes = v.strictObject({
  epsilon: v.pipe(v.number(), v.gtValue(0), v.maxValue(1)),
});
export type LayerNormalizationAttributes = v.InferOutput<typeof LayerNormalizationAttributes>;

/** Floats that the backward pass needs for each vector: mean and inverse deviation. */
const STATISTICS = 2;

export const layerNormalizationOp: KernelOp<LayerNormalizationAttributes, 'gamma' | 'beta'> = {
  kind: 'kernel',
  attributes: LayerNormalizationAttributes,
  arity: { min: 1, max: 1 },
  roles: ['gamma', 'beta'],
  parameters: ({ inputs: [input] }) => ({ gamma: [lastOf(input)], beta: [lastOf(input)] }),
  shape({ name, inputs: [input] }) {
    if (input.length === 0)
      throw new UserError(`layer ${name}: a single number (shape []) has no axis to normalise`);
    return input;
  },
  backwardReads: { inputs: true, output: false },
  saved: ({ inputs: [input] }) => [positionsOf(input) * STATISTICS],
  errorTerm: 'replaced',

  forward(to, { rows, inputs: [input], attributes: { epsilon }, weights, x, y, saved }) {
    const size = { rows: rows * positionsOf(input), cols: lastOf(input) };
    const { gamma, beta } = weights;
    to.emit('layerNormalizationForward', {
      x: x[0],
      gamma,
      beta,
      y,
      statistics: saved[0] ?? 0,
      ...size,
      epsilon,
    });
  },

  backward(to, { rows, inputs: [input], weights, x, saved, dy, dx }) {
    const size = { rows: rows * positionsOf(input), cols: lastOf(input) };
    const statistics = saved[0] ?? 0;
    to.emit('layerNormalizationBackward', {
      x: x[0],
      statistics,
      gamma: weights.gamma,
      dy,
      dx: dx[0],
      ...size,
    });
  },

  parameterGradients(to, { rows, leafRows, inputs: [input], x, saved, dy, gradients }) {
    const positions = positionsOf(input);
    const range = { rows: rows * positions, leafRows: leafRows * positions };
    const cols = lastOf(input);
    const { gamma, beta } = gradients;
    if (gamma !== 0) {
      const statistics = saved[0] ?? 0;
      to.emit('treeLayerNormalizationScale', { x: x[0], statistics, dy, out: gamma, cols, ...range });
    }
    if (beta !== 0) to.emit('treeSumRows', { a: dy, out: beta, n: cols, ...range });
  },
};
