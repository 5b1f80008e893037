/*
 * Every op of a network as layers of Keras, for prediction and for further training there. Tensors have the batch as first axis
 * and images their channels last, here and there; so do the weights.
 */
import type { Conv3dAttributes } from '../../../shared/graph/ops/conv3d.js';
import type { OpName } from '../../../shared/graph/ops/table.js';
import type { ResolvedNode } from '../../../shared/graph/resolve.js';
import { elementsOf, lastOf } from '../../../shared/graph/shape.js';
import { permuted } from '../reordered.js';
import type { LayerOutput } from './layer-model.js';
import { type LayerWriter, NoCounterpart, type OpUse, type OpWriter } from './layer-writer.js';
import { gru, lstm, simpleRnn } from './recurrent-layers.js';

type Pair = readonly [number, number];

const without =
  (what: string): OpWriter =>
  () => {
    throw new NoCounterpart(what);
  };

/** @param names of the activation in Keras and in TensorFlow.js */
const activation =
  (keras: string, tfjs: string | undefined = keras): OpWriter =>
  (to, { node, inputs }) => {
    const name = to.dialect === 'tfjs' ? tfjs : keras;
    const config = { activation: name };
    return to.layer(node, { className: 'Activation', config, inputs, shape: node.shape });
  };

/** A class without weights. */
const plain =
  (
    className: string,
    configOf: (
      attributes: Readonly<Record<string, unknown>>,
      to: LayerWriter,
    ) => Record<string, unknown> = () => ({}),
  ): OpWriter =>
  (to, { node, inputs }) => {
    const config = configOf(node.attributes as Readonly<Record<string, unknown>>, to);
    return to.layer(node, { className, config, inputs, shape: node.shape });
  };

const trainingOnly: OpWriter = (to, { node, inputs: [x] }) => {
  to.notes.add(`${node.name} (${node.op}) acts in training only, and is left out`);
  return x;
};

const dense: OpWriter = (to, { node, inputs }) => {
  const { units, useBias } = node.attributes as { units: number; useBias: boolean };
  return to.layer(node, {
    ...{ className: 'Dense', inputs, shape: node.shape },
    config: { units, activation: 'linear', use_bias: useBias },
    weights: to.weights(node, { kernel: 'kernel', bias: 'bias' }),
  });
};

interface ConvolutionAttributes {
  readonly filters: number;
  readonly kernelSize: Pair;
  readonly strides: Pair;
  readonly padding: 'valid' | 'same';
  readonly dilation: Pair;
  readonly groups: number;
  readonly useBias: boolean;
}

const isOne = (sizes: readonly number[]): boolean => sizes.every((size) => size === 1);

function windowConfig(node: ResolvedNode) {
  const { kernelSize, strides, padding, dilation, useBias } = node.attributes as
    | ConvolutionAttributes
    | Conv3dAttributes;
  if (!isOne(strides) && !isOne(dilation)) throw new NoCounterpart('strides together with dilation');
  return {
    ...{ kernel_size: [...kernelSize], strides: [...strides], padding, dilation_rate: [...dilation] },
    ...{ data_format: 'channels_last', activation: 'linear', use_bias: useBias },
  };
}

const conv2d: OpWriter = (to, { node, inputs }) => {
  const { filters, strides, groups } = node.attributes as ConvolutionAttributes;
  const channels = lastOf(node.inputShapes[0]);
  const window = windowConfig(node);
  const [kernel, ...bias] = to.weights(node, { kernel: 'kernel', bias: 'bias' });
  if (kernel === undefined) throw new NoCounterpart('a missing kernel');
  const { shape } = node;
  // The filters of a channel are consecutive: [height, width, 1, channels * multiplier] is [height, width, channels, multiplier].
  if (groups === channels && groups > 1 && strides[0] === strides[1]) {
    const multiplier = filters / channels;
    const [height = 0, width = 0] = kernel.values.shape;
    const values = { shape: [height, width, channels, multiplier], values: kernel.values.values };
    const role = to.dialect === 'tfjs' ? 'depthwise_kernel' : 'kernel';
    return to.layer(node, {
      ...{ className: 'DepthwiseConv2D', inputs, shape },
      config: { ...window, depth_multiplier: multiplier },
      weights: [{ within: '', role, values }, ...bias],
    });
  }
  if (groups > 1 && to.dialect === 'tfjs') throw new NoCounterpart(`a convolution of ${groups} groups`);
  const config = { ...window, filters, ...(to.dialect === 'keras' && { groups }) };
  return to.layer(node, { className: 'Conv2D', config, inputs, shape, weights: [kernel, ...bias] });
};

const conv3d: OpWriter = (to, { node, inputs }) => {
  const { filters, groups = 1 } = node.attributes as Conv3dAttributes;
  if (groups !== 1 && to.dialect === 'tfjs') throw new NoCounterpart('a convolution of volumes with groups');
  const [kernel, ...bias] = to.weights(node, { kernel: 'kernel', bias: 'bias' });
  if (kernel === undefined) throw new NoCounterpart('a missing kernel');
  // Keras has the depth of a kernel before its height.
  const values = permuted(kernel.values, [2, 0, 1, 3, 4]);
  return to.layer(node, {
    ...{ className: 'Conv3D', inputs, shape: node.shape },
    config: { ...windowConfig(node), filters, ...(groups !== 1 && { groups }) },
    weights: [{ ...kernel, values }, ...bias],
  });
};

const conv2dTranspose: OpWriter = (to, { node, inputs }) => {
  const { filters, dilation } = node.attributes as ConvolutionAttributes;
  // Keras and TensorFlow.js disagree about its output.
  if (!isOne(dilation)) throw new NoCounterpart('a transposed convolution with dilation');
  return to.layer(node, {
    ...{ className: 'Conv2DTranspose', inputs, shape: node.shape },
    config: { ...windowConfig(node), filters },
    weights: to.weights(node, { kernel: 'kernel', bias: 'bias' }),
  });
};

const pool = (className: string): OpWriter =>
  plain(className, ({ poolSize, strides, padding }) => ({
    ...{ pool_size: poolSize, strides, padding, data_format: 'channels_last' },
  }));

/** An axis as the second one of an image, with what lies before and after it. */
function alongAxis(
  to: LayerWriter,
  { node, inputs: [x] }: OpUse,
  axis: number,
  size: number,
  change: (image: LayerOutput, after: number) => LayerOutput,
): LayerOutput {
  const { shape } = node.inputShapes[0].length === 0 ? { shape: [1] } : { shape: node.inputShapes[0] };
  const before = elementsOf(shape.slice(0, axis));
  const after = elementsOf(shape) / before / size;
  const image = to.reshape(node, x, [before, size, after], 'image');
  return to.reshape(node, change(image, after), node.shape, 'back');
}

const slice: OpWriter = (to, use) => {
  const { node } = use;
  const { axis, from, to: end } = node.attributes as { axis: number; from: number; to: number };
  const size = node.inputShapes[0][axis] as number;
  return alongAxis(to, use, axis, size, (image) =>
    to.layer(node, {
      className: 'Cropping2D',
      config: {
        cropping: [
          [0, 0],
          [from, size - end],
        ],
        data_format: 'channels_last',
      },
      inputs: [image],
      shape: [image.shape[0] as number, end - from, image.shape[2] as number],
    }),
  );
};

const repeat: OpWriter = (to, use) => {
  const { node } = use;
  const { axis = 0, times } = node.attributes as { axis?: number; times: number };
  return alongAxis(to, use, axis, 1, (image) =>
    to.layer(node, {
      className: 'UpSampling2D',
      config: { size: [1, times], data_format: 'channels_last', interpolation: 'nearest' },
      inputs: [image],
      shape: [image.shape[0] as number, times, image.shape[2] as number],
    }),
  );
};

export const OP_LAYERS: Readonly<Record<OpName, OpWriter>> = {
  add: plain('Add'),
  multiply: plain('Multiply'),
  concatenate: plain('Concatenate', ({ axis }) => ({ axis: (axis as number) + 1 })),
  affine: plain('Rescaling', ({ factor, summand }) => ({ scale: factor, offset: summand })),
  exp: (to, use) => {
    if (to.dialect === 'tfjs') throw new NoCounterpart('an exponential');
    return activation('exponential')(to, use);
  },
  log: without('a logarithm'),
  sqrt: without('a square root'),
  reciprocal: without('a reciprocal'),
  step: without('a step function'),
  scaleGradient: activation('linear'),
  where: without('a choice by a condition'),
  reduceSum: without('a sum along an axis'),
  gather: without('entries by number'),
  parameter: without('a parameter of its own'),
  rotary: without('rotary positions'),
  attention: without('attention'),
  reverseEmbedding: without('a product with the vectors of an embedding'),
  positionalEmbedding: without('an embedding of positions'),
  positionalEncoding: without('an encoding of positions'),
  lossTerms: without('a loss in prediction'),
  matmul(to, { node, inputs }) {
    if (inputs.some(({ shape }) => shape.length !== 2)) throw new NoCounterpart('a product of such tensors');
    const config = { axes: [2, 1], normalize: false };
    return to.layer(node, { className: 'Dot', config, inputs, shape: node.shape });
  },
  relu: activation('relu'),
  sigmoid: activation('sigmoid'),
  tanh: activation('tanh'),
  softmax: activation('softmax'),
  logSoftmax: activation('log_softmax'),
  silu: activation('silu', 'swish'),
  gelu: activation('gelu'),
  leakyRelu: plain('LeakyReLU', ({ slope }, { dialect }) => ({
    [dialect === 'tfjs' ? 'alpha' : 'negative_slope']: slope,
  })),
  dropout(to, { node, inputs }) {
    const { rate, sharedAxes } = node.attributes as { rate: number; sharedAxes: number };
    const noise = [null, ...node.shape.map((size, axis) => (axis < sharedAxes ? 1 : size))];
    const config = { rate, noise_shape: sharedAxes === 0 ? null : noise, seed: null };
    return to.layer(node, { className: 'Dropout', config, inputs, shape: node.shape });
  },
  gaussianNoise: plain('GaussianNoise', ({ deviation }) => ({ stddev: deviation })),
  maskBands: trainingOnly,
  randomShift: trainingOnly,
  /** The middle window, as in prediction. */
  randomCrop(to, { node, inputs }) {
    const { size } = node.attributes as { size: Pair };
    const cropping = size.map((kept, axis) => {
      const whole = node.inputShapes[0][axis] as number;
      const before = Math.floor((whole - kept) / 2);
      return [before, whole - kept - before];
    });
    to.notes.add(`${node.name} (randomCrop) cuts the middle, also in training`);
    const config = { cropping, data_format: 'channels_last' };
    return to.layer(node, { className: 'Cropping2D', config, inputs, shape: node.shape });
  },
  dense,
  conv2d,
  conv2dTranspose,
  conv3d,
  maxPool: pool('MaxPooling2D'),
  averagePool: pool('AveragePooling2D'),
  lstm,
  gru,
  simpleRnn,
  embedding(to, { node, inputs }) {
    const { entries } = node.attributes as { entries: number };
    to.notes.add(`${node.name} (embedding) gives zeros for ids that it has no vector for; Keras does not`);
    return to.layer(node, {
      ...{ className: 'Embedding', inputs, shape: node.shape },
      config: { input_dim: entries, output_dim: lastOf(node.shape), mask_zero: false },
      weights: to.weights(node, { embeddings: 'table' }),
    });
  },
  layerNormalization(to, { node, inputs }) {
    const { epsilon } = node.attributes as { epsilon: number };
    return to.layer(node, {
      ...{ className: 'LayerNormalization', inputs, shape: node.shape },
      config: { axis: -1, epsilon, center: true, scale: true },
      weights: to.weights(node, { gamma: 'gamma', beta: 'beta' }),
    });
  },
  batchNormalization(to, { node, inputs }) {
    const { epsilon, momentum } = node.attributes as { epsilon: number; momentum: number };
    return to.layer(node, {
      ...{ className: 'BatchNormalization', inputs, shape: node.shape },
      config: { axis: -1, momentum, epsilon, center: true, scale: true },
      weights: to.weights(node, {
        ...{ gamma: 'gamma', beta: 'beta', moving_mean: 'movingMean', moving_variance: 'movingVariance' },
      }),
    });
  },
  reshape: (to, { node, inputs: [x] }) => to.reshape(node, x, node.shape),
  permute: plain('Permute', ({ dims }) => ({ dims })),
  slice,
  repeat,
  repeatVector: repeat,
};
