import { Graph, type Tensor as GraphTensor, type Layer } from '../../../shared/graph/graph.js';
import { activation, leakyRelu } from '../../../shared/graph/layers/activation.js';
import { matmul, plus, repeat, scaleGradient, times } from '../../../shared/graph/layers/arithmetic.js';
import { randomCrop } from '../../../shared/graph/layers/augmentation.js';
import { batchNormalization } from '../../../shared/graph/layers/batch-normalization.js';
import { bidirectional } from '../../../shared/graph/layers/bidirectional.js';
import { conv1d } from '../../../shared/graph/layers/conv1d.js';
import { conv2d } from '../../../shared/graph/layers/conv2d.js';
import { conv2dTranspose } from '../../../shared/graph/layers/conv2d-transpose.js';
import { conv3d } from '../../../shared/graph/layers/conv3d.js';
import { dense } from '../../../shared/graph/layers/dense.js';
import { depthwiseConv2d } from '../../../shared/graph/layers/depthwise-conv2d.js';
import { dropout } from '../../../shared/graph/layers/dropout.js';
import { embedding } from '../../../shared/graph/layers/embedding.js';
import { layerNormalization } from '../../../shared/graph/layers/layer-normalization.js';
import { add, concatenate, multiply } from '../../../shared/graph/layers/merge.js';
import { averagePooling2d, maxPooling2d } from '../../../shared/graph/layers/pooling.js';
import { averagePooling3d, maxPooling3d } from '../../../shared/graph/layers/pooling3d.js';
import { gru, lstm, simpleRnn } from '../../../shared/graph/layers/recurrent.js';
import { flatten, permute, repeatVector, reshape, slice } from '../../../shared/graph/layers/reshape.js';
import { sequential } from '../../../shared/graph/layers/sequential.js';
import { meanSquaredError } from '../../../shared/graph/losses/mean-squared-error.js';
import type { Model } from '../../../shared/graph/model.js';

type Build = (inputs: readonly GraphTensor[]) => GraphTensor | Readonly<Record<string, GraphTensor>>;

function over(inputs: Readonly<Record<string, readonly number[]>>, build: Build): Model {
  const graph = new Graph();
  const result = build(Object.entries(inputs).map(([name, shape]) => graph.input(name, shape)));
  if ('graph' in result) return graph.model(result as GraphTensor, meanSquaredError({ target: 'y' }));
  const outputs = result as Readonly<Record<string, GraphTensor>>;
  const losses = Object.keys(outputs).map((name) => [name, meanSquaredError({ target: `${name}Target` })]);
  return graph.model(outputs, Object.fromEntries(losses));
}

const chain = (shape: readonly number[], ...layers: Layer[]): Model =>
  over({ x: shape }, ([x]) => sequential(layers)(x as GraphTensor));

/** Networks of layers that Keras and TensorFlow.js have, by name; together they have every such op. */
export const LAYER_NETWORKS: Readonly<Record<string, () => Model>> = {
  images: () =>
    chain(
      [9, 11, 4],
      randomCrop(8, 9),
      conv2d(6, [3, 2], { padding: 'same', strides: [2, 1], activation: 'silu' }),
      batchNormalization(),
      conv2d(5, 3, { dilation: 2, padding: 'same', activation: 'gelu' }),
      averagePooling2d({ poolSize: 2, padding: 'same' }),
      depthwiseConv2d(3, { padding: 'same', depthMultiplier: 2, activation: 'relu' }),
      conv2dTranspose(5, 3, { strides: 2, padding: 'same' }),
      leakyRelu({ slope: 0.3 }),
      // Of the gradient alone: what is exported has nothing for it.
      (x: GraphTensor) => scaleGradient(x, -1),
      maxPooling2d({ poolSize: [2, 3], padding: 'same', strides: 2 }),
      activation('logSoftmax'),
      permute([3, 1, 2]),
      // A kernel smaller than the strides.
      conv2dTranspose(3, [2, 3], { strides: [3, 2] }),
      flatten(),
    ),
  sequences: () =>
    chain(
      [7, 5],
      bidirectional((direction) => lstm(4, { returnSequences: true, ...direction }), concatenate()),
      bidirectional((direction) => simpleRnn(4, { returnSequences: true, ...direction }), concatenate()),
      conv1d(6, 3, { padding: 'same', activation: 'tanh' }),
      slice(1, 6),
      layerNormalization(),
      lstm(5, { reverse: true }),
      repeatVector(3),
      simpleRnn(4),
      dense(3, { activation: 'sigmoid' }),
    ),
  volumes: () =>
    chain(
      [5, 4, 6, 2],
      conv3d(3, [3, 2, 3], { padding: 'same', strides: [2, 1, 2], activation: 'tanh' }),
      maxPooling3d({ poolSize: [2, 3, 1], strides: 1, padding: 'same' }),
      conv3d(4, [2, 2, 1], { dilation: [2, 1, 1], useBias: false }),
      averagePooling3d({ poolSize: [1, 2, 1] }),
      flatten(),
    ),
  directions: () =>
    chain(
      [6, 3],
      bidirectional((direction) => lstm(4, { returnSequences: true, ...direction }), add()),
      bidirectional((direction) => lstm(3, { ...direction }), multiply()),
    ),
  'two inputs and branches': () =>
    over({ ids: [4], x: [4, 3] }, ([ids, x]) => {
      const shared = dense(3, { activation: 'relu', name: 'shared' });
      const words = shared(embedding(9, 3)(ids as GraphTensor));
      const numbers = shared(dense(3, { useBias: false })(dropout(0.2)(x as GraphTensor)));
      const deep = dense(3)(dense(3)(words));
      const both = add()([multiply()([deep, numbers]), words]);
      const scores = matmul(both, permute([2, 1])(numbers));
      const rows = repeat(flatten()(slice(0, 1)(plus(times(scores, 0.5), 0.25))), 2, 1);
      return dense(2, { activation: 'softmax' })(reshape([2, 4])(rows));
    }),
  'two outputs': () =>
    over({ x: [5] }, ([x]) => {
      const trunk = dense(6, { activation: 'relu' })(x as GraphTensor);
      return { kind: dense(3, { activation: 'softmax' })(trunk), grid: reshape([2, 2])(dense(4)(trunk)) };
    }),
};

/** What Keras alone has. */
export const KERAS_NETWORKS: Readonly<Record<string, () => Model>> = {
  ...LAYER_NETWORKS,
  'gated units': () =>
    chain(
      [5, 3],
      bidirectional((direction) => gru(4, { returnSequences: true, ...direction }), concatenate()),
      gru(3),
    ),
  groups: () => chain([5, 5, 4], conv2d(6, 3, { groups: 2 }), flatten()),
};
