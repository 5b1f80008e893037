import { Graph, type Layer } from '../../shared/graph/graph.js';
import { activation } from '../../shared/graph/layers/activation.js';
import { conv2d } from '../../shared/graph/layers/conv2d.js';
import { conv2dTranspose } from '../../shared/graph/layers/conv2d-transpose.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { depthwiseConv2d } from '../../shared/graph/layers/depthwise-conv2d.js';
import { add, multiply } from '../../shared/graph/layers/merge.js';
import {
  averagePooling2d,
  globalAveragePooling2d,
  globalMaxPooling2d,
  maxPooling2d,
} from '../../shared/graph/layers/pooling.js';
import { flatten, reshape } from '../../shared/graph/layers/reshape.js';
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
import { AXES_MODELS } from './axes-models.js';
import { BATCH_NORMALIZATION_MODELS } from './batch-normalization-models.js';
import { RANDOM_MODELS } from './random-models.js';
import { RECURRENT_MODELS } from './recurrent-models.js';
import { SMOOTHING_MODELS } from './smoothing-models.js';
import { TRANSFORMER_MODELS } from './transformer-models.js';

/** Small models that between them use every op, every loss and every turn that backprop can take. Fields: x and y. */
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

  /** Labels that nobody has told the times of. */
  ctc: (): Model =>
    chain([4, 6], [dense(8, { activation: 'tanh' }), dense(4)], ctc({ target: 'y', length: 3 })),

  /** Cells that hold an object or do not. */
  detection: (): Model =>
    chain([3, 4], [dense(6, { activation: 'tanh' }), dense(8)], detection({ target: 'y', delta: 0.5 })),

  /** Probabilities that are not a softmax's output. */
  probabilities: (): Model => {
    const x = new Graph().input('x', [3]);
    const branch = (): Layer => dense(4, { activation: 'softmax' });
    const output = multiply()([branch()(x), branch()(x)]);
    return x.graph.model(output, sparseCategoricalCrossentropy({ target: 'y' }));
  },

  /** The same with targets that are probabilities, behind a softmax that a view hides; no bias; views everywhere. */
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

  /** Convolutions that keep the size, a fused relu, maximum pooling. */
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

  /** Images made larger; a convolution of each channel for itself. */
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

  /** Strides, dilation, groups, no bias; windows that overlap and reach over the border; whole images pooled. */
  strided: (): Model => {
    const x = new Graph().input('x', [7, 6, 4]);
    const strided = conv2d(6, 3, { strides: [2, 1], padding: 'same', groups: 2, activation: 'tanh' })(x);
    const dilated = conv2d(6, [2, 3], { dilation: [2, 1], padding: 'same', useBias: false })(strided);
    const smooth = averagePooling2d({ poolSize: [3, 2], strides: [2, 1], padding: 'same' })(dilated);
    const sharp = maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' })(dilated);
    const joined = add()([globalAveragePooling2d()(smooth), globalMaxPooling2d()(sharp)]);
    return x.graph.model(dense(2)(joined), meanSquaredError({ target: 'y' }));
  },

  /** A relu that cannot join the product before it, because somebody else reads that too; a value used twice at once. */
  forks: (): Model => {
    const x = new Graph().input('x', [3]);
    const z = dense(4)(x);
    const joined = add()([activation('relu')(z), activation('sigmoid')(z), z]);
    const output = dense(2)(multiply()([joined, joined]));
    return x.graph.model(output, meanSquaredError({ target: 'y' }));
  },

  ...AXES_MODELS,
  ...BATCH_NORMALIZATION_MODELS,
  ...RECURRENT_MODELS,
  ...SMOOTHING_MODELS,
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
