import { Graph } from '../../shared/graph/graph.js';
import { conv2d } from '../../shared/graph/layers/conv2d.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { embedding, positionalEmbedding } from '../../shared/graph/layers/embedding.js';
import { layerNormalization } from '../../shared/graph/layers/layer-normalization.js';
import { maxPooling2d } from '../../shared/graph/layers/pooling.js';
import { lstm } from '../../shared/graph/layers/recurrent.js';
import { flatten } from '../../shared/graph/layers/reshape.js';
import { sequential } from '../../shared/graph/layers/sequential.js';
import { transformerBlock } from '../../shared/graph/layers/transformer.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';
import type { Model } from '../../shared/graph/model.js';
import { adam } from '../../shared/optim/adam.js';
import type { Recipe } from '../../trainer/recipe.js';
import { syntheticData } from './synthetic-data.js';

/**
 * A fixed task for timing steps. It is a recipe, so it can be trained like any other. The comparison programs in
 * scripts/bench/peers have it under the same name.
 */
export interface Workload extends Recipe {
  readonly name: string;
  /** Batches that `bench step` times. */
  readonly batches: readonly number[];
  /** Small enough for the overhead of a step to be measurable. */
  readonly showsOverhead: boolean;
}

const LABEL = { shape: [], values: 10 };
const PIXELS = { image: { shape: [784], values: 256, scale: 1 / 255 }, label: LABEL };
const IMAGE = { image: { shape: [28, 28, 1], values: 256, scale: 1 / 255 }, label: LABEL };
const SEQUENCE = {
  sequence: { shape: [64, 64], values: 256, scale: 1 / 255 },
  label: { shape: [64], values: 65 },
};
const SYMBOLS = { symbols: { shape: [64], values: 65 }, label: { shape: [64], values: 65 } };
const OPTIMIZER = adam({ learningRate: 0.001 });

/** Every workload. To add one, add an entry. */
export const WORKLOADS: readonly Workload[] = [
  {
    name: 'mlp10',
    summary: 'dense 784-10-10, Adam',
    model: () => classifier([784], [dense(10, { activation: 'relu' }), dense(10)]),
    data: async () => syntheticData('pixels', PIXELS),
    optimizer: OPTIMIZER,
    batches: [32, 128],
    batch: 128,
    leafSize: 16,
    epochs: 1,
    showsOverhead: true,
  },
  {
    name: 'mlp512',
    summary: 'dense 784-512-512-10, Adam',
    model: () =>
      classifier([784], [dense(512, { activation: 'relu' }), dense(512, { activation: 'relu' }), dense(10)]),
    data: async () => syntheticData('pixels', PIXELS),
    optimizer: OPTIMIZER,
    batches: [32, 128],
    batch: 256,
    leafSize: 32,
    epochs: 1,
    showsOverhead: false,
  },
  {
    name: 'cnn',
    summary: '32 and 64 filters of 3x3, each halved by pooling, dense 128-10, Adam',
    model: () =>
      classifier(
        [28, 28, 1],
        [
          conv2d(32, 3, { padding: 'same', activation: 'relu' }),
          maxPooling2d(),
          conv2d(64, 3, { padding: 'same', activation: 'relu' }),
          maxPooling2d(),
          flatten(),
          dense(128, { activation: 'relu' }),
          dense(10),
        ],
      ),
    data: async () => syntheticData('images', IMAGE),
    optimizer: OPTIMIZER,
    batches: [32, 128],
    batch: 64,
    leafSize: 16,
    epochs: 1,
    showsOverhead: false,
  },
  {
    name: 'lstm',
    summary: 'LSTM of 128 units over 64 steps of 64 features, a class of 65 at each step, Adam',
    model: () => classifier([64, 64], [lstm(128, { returnSequences: true }), dense(65)], 'sequence'),
    data: async () => syntheticData('sequences', SEQUENCE),
    optimizer: OPTIMIZER,
    batches: [32],
    batch: 64,
    leafSize: 16,
    epochs: 1,
    showsOverhead: false,
  },
  {
    name: 'gpt',
    summary: 'decoder of 4 layers, 4 heads and width 128 on 64 of 65 symbols, AdamW',
    model: () => {
      const blocks = [1, 2, 3, 4].map((i) => transformerBlock(4, 512, { causal: true, name: `block${i}` }));
      const layers = [embedding(65, 128), positionalEmbedding(), ...blocks, layerNormalization(), dense(65)];
      return classifier([64], layers, 'symbols');
    },
    data: async () => syntheticData('symbols', SYMBOLS),
    optimizer: adam({ learningRate: 0.001, weightDecay: 0.01 }),
    batches: [16],
    batch: 16,
    leafSize: 4,
    epochs: 1,
    showsOverhead: false,
  },
];

/** Layers from an input to the logits of `label`. */
function classifier(
  shape: readonly number[],
  layers: Parameters<typeof sequential>[0],
  input = 'image',
): Model {
  const graph = new Graph();
  const logits = sequential(layers)(graph.input(input, shape));
  return graph.model(logits, sparseCategoricalCrossentropy({ target: 'label', fromLogits: true }));
}
