import { RECIPES } from '../../../scripts/commands/recipes.js';
import { SeededRandom } from '../../../shared/actor/seeded-random.js';
import { packSamples } from '../../../shared/data/samples.js';
import type { Tensor } from '../../../shared/files/tensors.js';
import { Graph, type Tensor as GraphTensor, type Layer } from '../../../shared/graph/graph.js';
import { activation, leakyRelu } from '../../../shared/graph/layers/activation.js';
import {
  clip,
  exp,
  gather,
  greater,
  log,
  matmul,
  max,
  mean,
  minus,
  plus,
  over as quotient,
  repeat,
  sqrt,
  square,
  sum,
  times,
  transpose,
  where,
} from '../../../shared/graph/layers/arithmetic.js';
import { randomCrop } from '../../../shared/graph/layers/augmentation.js';
import { batchNormalization } from '../../../shared/graph/layers/batch-normalization.js';
import { bidirectional } from '../../../shared/graph/layers/bidirectional.js';
import { conv1d } from '../../../shared/graph/layers/conv1d.js';
import { conv2d } from '../../../shared/graph/layers/conv2d.js';
import { conv2dTranspose } from '../../../shared/graph/layers/conv2d-transpose.js';
import { conv3d } from '../../../shared/graph/layers/conv3d.js';
import { dense } from '../../../shared/graph/layers/dense.js';
import { positionalEncoding } from '../../../shared/graph/layers/embedding.js';
import { concatenate, multiply } from '../../../shared/graph/layers/merge.js';
import { multiHeadAttention } from '../../../shared/graph/layers/multi-head-attention.js';
import { groupNormalization, rmsNormalization } from '../../../shared/graph/layers/normalization.js';
import { averagePooling2d, globalMaxPooling2d, maxPooling2d } from '../../../shared/graph/layers/pooling.js';
import { averagePooling3d, maxPooling3d } from '../../../shared/graph/layers/pooling3d.js';
import { gru, lstm, simpleRnn } from '../../../shared/graph/layers/recurrent.js';
import { flatten, permute, repeatVector, reshape, slice } from '../../../shared/graph/layers/reshape.js';
import { sequential } from '../../../shared/graph/layers/sequential.js';
import { swiGlu } from '../../../shared/graph/layers/transformer.js';
import { meanSquaredError } from '../../../shared/graph/losses/mean-squared-error.js';
import type { Model } from '../../../shared/graph/model.js';
import { elementsOf } from '../../../shared/graph/shape.js';

/** Symbols of texts in these networks. */
const SYMBOLS = 40;

const over = (
  inputs: Readonly<Record<string, readonly number[]>>,
  build: (x: readonly GraphTensor[]) => GraphTensor,
) => {
  const graph = new Graph();
  const output = build(Object.entries(inputs).map(([name, shape]) => graph.input(name, shape)));
  return graph.model(output, meanSquaredError({ target: 'y' }));
};
const layers = (shape: readonly number[], ...all: Layer[]): Model =>
  over({ x: shape }, ([x]) => sequential(all)(x as GraphTensor));

/** Networks with the ops that no recipe has. */
const OTHERS: Readonly<Record<string, () => Model>> = {
  images: () =>
    layers(
      [9, 11, 4],
      randomCrop(8, 9),
      conv2d(6, [3, 2], { padding: 'same', strides: [2, 1], activation: 'silu' }),
      batchNormalization(),
      conv2d(6, 3, { dilation: 2, padding: 'same', groups: 2, activation: 'gelu' }),
      averagePooling2d({ poolSize: 2, padding: 'same' }),
      conv2dTranspose(5, 3, { strides: 2, padding: 'same' }),
      leakyRelu({ slope: 0.3 }),
      conv2dTranspose(3, [2, 3], { strides: [3, 2] }),
      maxPooling2d({ poolSize: [2, 3], padding: 'same', strides: 2 }),
      activation('logSoftmax'),
      permute([3, 1, 2]),
      globalMaxPooling2d(),
    ),
  sequences: () =>
    layers(
      [7, 5],
      positionalEncoding(),
      simpleRnn(6, { returnSequences: true, reverse: true }),
      bidirectional((direction) => gru(4, { returnSequences: true, ...direction }), concatenate()),
      slice(1, 6),
      lstm(5, { reverse: true }),
      repeatVector(3),
      simpleRnn(4),
    ),
  arithmetic: () =>
    over({ x: [3, 4], c: [4] }, ([x, c]) => {
      const positive = plus(exp(x as GraphTensor), 0.5);
      const smooth = quotient(sqrt(positive), plus(square(x as GraphTensor), log(positive)));
      const rows = repeat(clip(c as GraphTensor, -0.4, 0.6), 3, 0);
      return times(
        where(minus(x as GraphTensor, 0.1), smooth, rows),
        greater(rows, repeat(mean(x as GraphTensor, 0), 3, 0)),
      );
    }),
  'masks and states': () =>
    over({ x: [6, 4], mask: [6], h: [5] }, ([x, mask, h]) => {
      const given = { mask: mask as GraphTensor };
      const [a, state] = gru(5, { returnSequences: true, returnState: true })(x as GraphTensor, {
        ...given,
        initialState: [h as GraphTensor],
      }) as unknown as GraphTensor[];
      const [b, h2, c2] = lstm(5, { returnSequences: true, returnState: true, reverse: true })(
        a as GraphTensor,
        given,
      ) as unknown as GraphTensor[];
      const c = simpleRnn(5, { returnSequences: true })(b as GraphTensor, {
        ...given,
        initialState: [
          multiply()([state as GraphTensor, multiply()([h2 as GraphTensor, c2 as GraphTensor])]),
        ],
      });
      return sequential([multiHeadAttention(1), flatten(), reshape([30, 1]), dense(2, { useBias: false })])(
        c as GraphTensor,
      );
    }),
};

/** Networks with ops of composed layers. */
const COMPOSED: Readonly<Record<string, () => Model>> = {
  'rotary positions': () =>
    layers(
      [5, 8],
      rmsNormalization(),
      multiHeadAttention(2, { causal: true, rotary: true }),
      swiGlu(6),
      conv1d(4, 3, { strides: 2, padding: 'same' }),
      groupNormalization(2),
    ),
  volumes: () =>
    layers(
      [5, 4, 6, 2],
      conv3d(3, [3, 2, 3], { padding: 'same', strides: [2, 1, 2], activation: 'tanh' }),
      maxPooling3d({ poolSize: [2, 3, 1], strides: 1, padding: 'same' }),
      conv3d(4, [2, 2, 1], { dilation: [2, 1, 1], useBias: false }),
      averagePooling3d({ poolSize: [1, 2, 1] }),
      flatten(),
    ),
  'volumes in groups': () =>
    layers(
      [3, 4, 5, 4],
      conv3d(6, [2, 1, 3], { groups: 2, padding: 'same', strides: [1, 2, 1], activation: 'tanh' }),
      conv3d(3, 2, { groups: 3 }),
      flatten(),
    ),
  'products and entries': () =>
    over({ x: [3, 4], pick: [5] }, ([x, pick]) => {
      const rows = matmul(x as GraphTensor, transpose(x as GraphTensor));
      const indices = minus(times(greater(pick as GraphTensor, -0.3), 3), greater(pick as GraphTensor, 0.4));
      const chosen = gather(rows, minus(indices, greater(pick as GraphTensor, 0.8)));
      return sum(times(chosen, repeat(max(chosen, -1), 3, -1)), 0);
    }),
};

/** A network of every recipe, and further ones. */
export async function allNetworks(): Promise<[name: string, network: Model][]> {
  const values = Array.from({ length: 4 }, (_, i) => [i, 1, 2, 3]);
  const train = packSamples('some', {
    features: { shape: [4], values },
    target: { shape: [], dtype: 'i32', values: values.map(() => 0) },
  });
  const alphabet = Array.from({ length: SYMBOLS }, (_, i) => `s${i}`);
  const recipes = await Promise.all(
    RECIPES.map(async ({ name, load }): Promise<[string, Model]> => {
      const { model } = await load();
      return [name, model({ train, alphabet, classes: ['a', 'b', 'c'] })];
    }),
  );
  return [
    ...recipes,
    ...Object.entries({ ...OTHERS, ...COMPOSED }).map(([name, build]): [string, Model] => [name, build()]),
  ];
}

/** Networks with the ops of others, which are smaller. */
const ALIKE = /^(translate|summarise|.*-newcomer|vanishing|exploding|cured|overfitting.*)$/;

/** A network for every way in which the networks differ. */
export async function distinctNetworks(): Promise<[name: string, network: Model][]> {
  return (await allNetworks()).filter(([name]) => !ALIKE.test(name));
}

/** Random weights: small, around 0; scales and variances around 1. */
export function randomWeights({ parameters }: Model, seed: number): Tensor[] {
  const random = new SeededRandom(seed);
  const unit = (): number => random.below(2 ** 24) / 2 ** 23 - 1;
  return parameters.map(({ name, shape }) => {
    const isScale = /(gamma|movingVariance)$/.test(name);
    const inputs = shape.length > 1 ? elementsOf(shape.slice(0, -1)) : 10;
    const values = Float32Array.from({ length: elementsOf(shape) }, () =>
      isScale ? 1 + 0.5 * unit() : (1.5 * unit()) / Math.sqrt(inputs),
    );
    return { name, shape, values };
  });
}

/** Random inputs: ids for embeddings, 0 and 1 for masks, numbers from -1 to 1 otherwise. */
export function randomInputs(model: Model, rows: number, seed: number): Record<string, Float32Array> {
  const random = new SeededRandom(seed);
  const ids = new Map(
    model.nodes
      .filter(({ op }) => op === 'embedding')
      .map(({ inputs, attributes }) => [inputs[0], attributes.entries as number]),
  );
  return Object.fromEntries(
    model.inputs.map(({ name, shape }) => {
      const entries = ids.get(name);
      const isMask = name === 'mask' || name === 'present';
      const values = Float32Array.from({ length: rows * elementsOf(shape) }, () => {
        // One id of padding now and then.
        if (entries !== undefined) return random.below(entries + 1) - 1;
        return isMask ? Number(random.below(4) > 0) : random.below(2 ** 24) / 2 ** 23 - 1;
      });
      return [name, values];
    }),
  );
}
