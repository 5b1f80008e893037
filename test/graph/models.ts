import { Graph, type Layer } from '../../shared/graph/graph.js';
import { activation } from '../../shared/graph/layers/activation.js';
import { conv2d } from '../../shared/graph/layers/conv2d.js';
import { conv2dTranspose } from '../../shared/graph/layers/conv2d-transpose.js';
import { conv3d } from '../../shared/graph/layers/conv3d.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { depthwiseConv2d } from '../../shared/graph/layers/depthwise-conv2d.js';
import { add, concatenate, multiply } from '../../shared/graph/layers/merge.js';
import {
  averagePooling2d,
  globalAveragePooling2d,
  globalMaxPooling2d,
  maxPooling2d,
} from '../../shared/graph/layers/pooling.js';
import {
  averagePooling3d,
  globalAveragePooling3d,
  globalMaxPooling3d,
  maxPooling3d,
} from '../../shared/graph/layers/pooling3d.js';
import { flatten, permute, repeatVector, reshape } from '../../shared/graph/layers/reshape.js';
import { sequential } from '../../shared/graph/layers/sequential.js';
import { binaryCrossentropy } from '../../shared/graph/losses/binary-crossentropy.js';
import { categoricalCrossentropy } from '../../shared/graph/losses/categorical-crossentropy.js';
import { ctc } from '../../shared/graph/losses/ctc.js';
import { detection } from '../../shared/graph/losses/detection.js';
import { huber } from '../../shared/graph/losses/huber.js';
import type { LossSettings } from '../../shared/graph/losses/loss.js';
import { meanAbsoluteError } from '../../shared/graph/losses/mean-absolute-error.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';
import type { Model } from '../../shared/graph/model.js';
import type { Shape } from '../../shared/graph/shape.js';
import { BATCH_NORMALIZATION_MODELS } from './batch-normalization-models.js';
import { COMPOSED_MODELS } from './composed-models.js';
import { DEFINED_MODELS } from './defined-models.js';
import { LEARNING_MODELS } from './learning-models.js';
import { RANDOM_MODELS } from './random-models.js';
import { RECURRENT_MODELS } from './recurrent-models.js';
import { TRANSFORMER_MODELS } from './transformer-models.js';
import { WEIGHTED_MODELS } from './weighted-models.js';

/** Small models that together use every op, every loss and every case of backprop. Fields: x and y. */
export const MODELS = {
  /** dense + relu, dense + softmax, class numbers. */
  classifier: (): Model =>
    chain(
      [5],
      [dense(7, { activation: 'relu' }), dense(4, { activation: 'softmax' })],
      sparseCategoricalCrossentropy({ target: 'y' }),
    ),

  /** Targets are probabilities. */
  'soft-targets': (): Model =>
    chain(
      [4],
      [dense(6, { activation: 'tanh' }), dense(3, { activation: 'softmax' })],
      categoricalCrossentropy({ target: 'y' }),
    ),

  regression: (): Model =>
    chain(
      [3],
      [dense(5, { activation: 'tanh' }), dense(4, { activation: 'sigmoid' }), dense(2)],
      meanSquaredError({ target: 'y' }),
    ),

  /** A layer used twice, a value with three readers, a sum and a gate. */
  residual: (): Model => {
    const x = new Graph().input('x', [4]);
    const shared = dense(4, { activation: 'tanh', name: 'shared' });
    const once = shared(x);
    const twice = shared(once);
    const gate = dense(4, { activation: 'sigmoid', name: 'gate' })(once);
    const output = multiply()([add()([once, twice, x]), gate]);
    return x.graph.model(output, meanSquaredError({ target: 'y' }));
  },

  /** Samples of three positions with a class each. */
  sequence: (): Model =>
    chain(
      [3, 5],
      [dense(6, { activation: 'relu' }), dense(4)],
      sparseCategoricalCrossentropy({ target: 'y', fromLogits: true }),
    ),

  absolute: (): Model => ofElements(meanAbsoluteError({ target: 'y' })),
  huber: (): Model => ofElements(huber({ target: 'y', delta: 0.5 })),
  binary: (): Model => ofElements(binaryCrossentropy({ target: 'y' })),

  /** Labels without times. */
  ctc: (): Model =>
    chain([4, 6], [dense(8, { activation: 'tanh' }), dense(4)], ctc({ target: 'y', length: 3 })),

  /** Cells with and without an object. */
  detection: (): Model =>
    chain([3, 4], [dense(6, { activation: 'tanh' }), dense(8)], detection({ target: 'y', delta: 0.5 })),

  /** Probabilities that are not the output of a softmax. */
  probabilities: (): Model => {
    const x = new Graph().input('x', [3]);
    const branch = (): Layer => dense(4, { activation: 'softmax' });
    const output = multiply()([branch()(x), branch()(x)]);
    return x.graph.model(output, sparseCategoricalCrossentropy({ target: 'y' }));
  },

  /** Targets that are probabilities, and a softmax behind a view; no bias; many views. */
  views: (): Model =>
    chain(
      [2, 2, 2],
      [
        flatten(),
        dense(6, { useBias: false, kernelInitializer: 'heNormal' }),
        reshape([2, 3]),
        activation('relu'),
        flatten(),
        dense(4, { activation: 'softmax' }),
        reshape([4]),
      ],
      categoricalCrossentropy({ target: 'y' }),
    ),

  /** Convolutions that keep the size, a fused relu, max pooling. */
  images: (): Model =>
    chain(
      [6, 5, 2],
      [
        conv2d(4, 3, { padding: 'same', activation: 'relu' }),
        maxPooling2d(),
        conv2d(3, [2, 1], { activation: 'tanh' }),
        flatten(),
        dense(3),
      ],
      sparseCategoricalCrossentropy({ target: 'y', fromLogits: true }),
    ),

  /** Transposed convolutions; a depthwise convolution. */
  enlarged: (): Model =>
    chain(
      [2, 3, 3],
      [
        conv2dTranspose(2, 3, { strides: 2, padding: 'same', activation: 'tanh' }),
        conv2dTranspose(2, [2, 3], { strides: [3, 1], activation: 'tanh' }),
        depthwiseConv2d(2, { depthMultiplier: 2, strides: [2, 1] }),
        flatten(),
        dense(2),
      ],
      meanSquaredError({ target: 'y' }),
    ),

  /** Strides, dilation, groups, no bias; windows that overlap and extend over the border; global pooling. */
  strided: (): Model => {
    const x = new Graph().input('x', [7, 6, 4]);
    const strided = conv2d(6, 3, { strides: [2, 1], padding: 'same', groups: 2, activation: 'tanh' })(x);
    const dilated = conv2d(6, [2, 3], { dilation: [2, 1], padding: 'same', useBias: false })(strided);
    const smooth = averagePooling2d({ poolSize: [3, 2], strides: [2, 1], padding: 'same' })(dilated);
    const sharp = maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' })(dilated);
    const joined = add()([globalAveragePooling2d()(smooth), globalMaxPooling2d()(sharp)]);
    return x.graph.model(dense(2)(joined), meanSquaredError({ target: 'y' }));
  },

  /** Volumes: strides, dilation and padding along each axis; windows that extend over the border; a volume with one channel. */
  volumes: (): Model =>
    chain(
      [5, 4, 6, 1],
      [
        conv3d(3, [3, 2, 3], { padding: 'same', strides: [2, 1, 2], activation: 'tanh' }),
        averagePooling3d({ poolSize: [2, 3, 2], strides: [1, 2, 1], padding: 'same' }),
        conv3d(4, [2, 2, 1], { dilation: [2, 1, 1], useBias: false }),
        flatten(),
        dense(2),
      ],
      meanSquaredError({ target: 'y' }),
    ),

  /** Convolutions of volumes in groups, with several depths of a group and with one filter for each. */
  'volumes-groups': (): Model =>
    chain(
      [4, 3, 4, 4],
      [
        conv3d(6, [3, 2, 2], { padding: 'same', strides: [1, 1, 2], groups: 2, activation: 'tanh' }),
        conv3d(3, [2, 2, 1], { groups: 3 }),
        flatten(),
        dense(2),
      ],
      meanSquaredError({ target: 'y' }),
    ),

  /** Volumes with an error term for the input of a convolution with stride 1, and the largest elements of windows. */
  'volumes-stride-1': (): Model => {
    const x = new Graph().input('x', [4, 5, 4, 2]);
    const z = conv3d(3, 3, { padding: 'same', activation: 'relu' })(conv3d(2, [2, 1, 3])(x));
    const joined = add()([
      globalMaxPooling3d()(maxPooling3d({ poolSize: [2, 2, 1] })(z)),
      globalAveragePooling3d()(z),
    ]);
    return x.graph.model(dense(2)(joined), meanSquaredError({ target: 'y' }));
  },

  /** A relu that cannot be fused, because its input has another reader; a value used twice by one node. */
  forks: (): Model => {
    const x = new Graph().input('x', [3]);
    const z = dense(4)(x);
    const joined = add()([activation('relu')(z), activation('sigmoid')(z), z]);
    const output = dense(2)(multiply()([joined, joined]));
    return x.graph.model(output, meanSquaredError({ target: 'y' }));
  },

  /** Concatenation along both axes, permuted axes, a repeated vector; log-softmax at the end. */
  axes: (): Model => {
    const x = new Graph().input('x', [3, 4]);
    const seen = dense(4, { activation: 'tanh', name: 'seen' })(x);
    const turned = dense(4, { activation: 'tanh', name: 'turned' })(permute([2, 1])(seen));
    const summary = dense(2, { activation: 'tanh', name: 'summary' })(flatten()(seen));
    const long = concatenate({ axis: 0 })([seen, turned, x]);
    const wide = concatenate()([long, repeatVector(10)(summary)]);
    const cube = permute([3, 1, 2])(reshape([10, 3, 2])(wide));
    const output = dense(3, { activation: 'logSoftmax', name: 'output' })(cube);
    return x.graph.model(output, meanSquaredError({ target: 'y' }));
  },

  'smoothed-ignored': (): Model => {
    const x = new Graph().input('x', [3, 4]);
    const logits = sequential([dense(6, { activation: 'tanh' }), dense(4)])(x);
    const settings = { fromLogits: true, labelSmoothing: 0.1, ignoreIndex: 2 };
    return x.graph.model(logits, sparseCategoricalCrossentropy({ target: 'y', ...settings }));
  },

  'smoothed-soft': (): Model => {
    const x = new Graph().input('x', [4]);
    const p = sequential([dense(6, { activation: 'tanh' }), dense(3, { activation: 'softmax' })])(x);
    return x.graph.model(p, categoricalCrossentropy({ target: 'y', labelSmoothing: 0.2 }));
  },

  /** Probabilities that are not the output of a softmax. */
  'smoothed-probabilities': (): Model => {
    const x = new Graph().input('x', [3]);
    const p = multiply()([dense(4, { activation: 'softmax' })(x), dense(4, { activation: 'softmax' })(x)]);
    return x.graph.model(p, sparseCategoricalCrossentropy({ target: 'y', labelSmoothing: 0.3 }));
  },

  'smoothed-binary': (): Model => {
    const x = new Graph().input('x', [3]);
    const logits = sequential([dense(5, { activation: 'tanh' }), dense(4)])(x);
    return x.graph.model(logits, binaryCrossentropy({ target: 'y', labelSmoothing: 0.2 }));
  },

  ...BATCH_NORMALIZATION_MODELS,
  ...COMPOSED_MODELS,
  ...LEARNING_MODELS,
  ...WEIGHTED_MODELS,
  ...DEFINED_MODELS,
  ...RECURRENT_MODELS,
  ...TRANSFORMER_MODELS,
  ...RANDOM_MODELS,
} as const satisfies Readonly<Record<string, () => Model>>;

export type ModelName = keyof typeof MODELS;

/** Whether a model computes the same in evaluation as in training. */
export function evaluatesAsItTrains(name: ModelName): boolean {
  return !Object.hasOwn(RANDOM_MODELS, name) && !Object.hasOwn(BATCH_NORMALIZATION_MODELS, name);
}

function ofElements(loss: LossSettings): Model {
  return chain([3], [dense(5, { activation: 'tanh' }), dense(4)], loss);
}

function chain(shape: Shape, layers: readonly Layer[], loss: LossSettings): Model {
  const x = new Graph().input('x', shape);
  return x.graph.model(sequential(layers)(x), loss);
}
