/*
 * batchNormalization, of each channel (the last axis) over n values (Ioffe, Szegedy 2015):
 *
 *     h = (x - mean) / sqrt(variance + epsilon)      y = h gamma + beta
 *
 *     g = dy gamma      dx = (g - sum(g) / n - h sum(g h) / n) / sqrt(variance + epsilon)
 *     dgamma = sum over samples of dy h      dbeta = sum over samples of dy
 *
 * In training, mean and variance are those of a GROUP of consecutive samples of the batch and all their positions. This is the
 * only op in which samples depend on each other. Groups are defined by the model and never split between workers ("ghost"
 * batches, Hoffer, Hubara, Soudry 2017). movingMean and movingVariance follow the mean over the samples of the batch of the
 * statistics of their groups, which is summed by the canonical tree like a gradient. Outside of training they replace mean
 * and variance.
 */
import * as v from 'valibot';
import { assert, UserError } from '../../errors.js';
import { elementsOf, lastOf, positionsOf } from '../shape.js';
import type { KernelOp, OpCall } from './op.js';

/** Largest number of samples of a group. */
const GROUP_MAX = 2 ** 20;

const BatchNormalizationAttributes = v.strictObject({
  epsilon: v.pipe(v.number(), v.gtValue(0), v.maxValue(1)),
  momentum: v.pipe(v.number(), v.minValue(0), v.ltValue(1)),
  virtualBatchSize: v.pipe(v.number(), v.integer(), v.minValue(2), v.maxValue(GROUP_MAX)),
});
export type BatchNormalizationAttributes = v.InferOutput<typeof BatchNormalizationAttributes>;

type Role = 'gamma' | 'beta' | 'movingMean' | 'movingVariance';

/** Floats that are saved for each channel of a group: mean, inverse deviation, variance. */
const STATISTICS = 3;
const VARIANCE = 2;

export const batchNormalizationOp: KernelOp<BatchNormalizationAttributes, Role> = {
  kind: 'kernel',
  attributes: BatchNormalizationAttributes,
  arity: { min: 1, max: 1 },
  roles: ['gamma', 'beta', 'movingMean', 'movingVariance'],
  parameters: ({ inputs: [input] }) => {
    const shape = [lastOf(input)];
    return { gamma: shape, beta: shape, movingMean: shape, movingVariance: shape };
  },
  averages: { roles: ['movingMean', 'movingVariance'], momentum: ({ momentum }) => momentum },
  group: ({ virtualBatchSize }) => virtualBatchSize,
  shape({ name, inputs: [input] }) {
    if (input.length === 0)
      throw new UserError(`layer ${name}: a single number (shape []) has no channels to normalise`);
    return input;
  },
  backwardReads: { inputs: true, output: false },
  // The statistics of a group are in the row of its first sample.
  saved: ({ inputs: [input] }) => [lastOf(input) * STATISTICS],
  errorTerm: 'replaced',

  forward(to, call) {
    const { rows, inputs, attributes, weights, x, y, saved, training } = call;
    const { gamma, beta, movingMean: mean, movingVariance: variance } = weights;
    const { epsilon, virtualBatchSize } = attributes;
    const tensors = { x: x[0], gamma, beta, y };
    if (training === undefined) {
      const size = { rows: rows * positionsOf(inputs[0]), channels: lastOf(inputs[0]) };
      to.emit('batchNormalizationInference', { ...tensors, mean, variance, ...size, epsilon });
      return;
    }
    assert(training.first % virtualBatchSize === 0, 'a group of batch statistics was split');
    const statistics = saved[0] ?? 0;
    to.emit('batchNormalizationForward', { ...tensors, statistics, ...geometry(call), epsilon });
  },

  backward(to, call) {
    const { weights, x, saved, dy, dx, training, rows, attributes } = call;
    if (training === undefined) {
      // Frozen: y is an affine function of x. Its derivative is the same function without mean and beta.
      const zeros = saved[0] ?? 0;
      const channels = lastOf(call.inputs[0]);
      to.emit('fill', { out: zeros, n: channels, value: 0 });
      const tensors = { x: dy, gamma: weights.gamma, beta: zeros, y: dx[0] };
      const size = { rows: rows * positionsOf(call.inputs[0]), channels };
      const statistics = { mean: zeros, variance: weights.movingVariance };
      to.emit('batchNormalizationInference', {
        ...tensors,
        ...statistics,
        ...size,
        epsilon: attributes.epsilon,
      });
      return;
    }
    const tensors = { x: x[0], statistics: saved[0] ?? 0, gamma: weights.gamma, dy, dx: dx[0] };
    to.emit('batchNormalizationBackward', { ...tensors, ...geometry(call) });
  },

  parameterGradients(to, call) {
    const { rows, row, leafRows, batch, x, saved, dy, gradients } = call;
    const size = geometry(call);
    const { positions, channels, group } = size;
    // The subtree may start in the middle of a group; then the statistics of this group are in an earlier row.
    const start = row % group;
    const statistics = (saved[0] ?? 0) - start * channels * STATISTICS * 4;
    const range = { start, leafRows };
    if (gradients.gamma !== 0) {
      const tensors = { x: x[0], statistics, dy, out: gradients.gamma };
      to.emit('treeBatchNormalizationScale', { ...tensors, ...size, ...range });
    }
    if (gradients.beta !== 0) {
      const all = { rows: rows * positions, n: channels, leafRows: leafRows * positions };
      to.emit('treeSumRows', { a: dy, out: gradients.beta, ...all });
    }
    const averages = [
      { out: gradients.movingMean, which: 0 },
      { out: gradients.movingVariance, which: VARIANCE },
    ];
    for (const { out, which } of averages) {
      if (out === 0) continue;
      const measured = { statistics: statistics + which * channels * 4, out };
      to.emit('treeGroupStatistics', { ...measured, rows, channels, group, ...range, scale: 1 / batch });
    }
  },
};

function geometry({
  rows,
  inputs: [input],
  attributes,
}: Pick<OpCall<BatchNormalizationAttributes, Role>, 'rows' | 'inputs' | 'attributes'>) {
  const channels = lastOf(input);
  const positions = elementsOf(input) / channels;
  return { rows, positions, channels, group: attributes.virtualBatchSize };
}
