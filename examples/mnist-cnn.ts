import { loadMnist } from '../shared/data/images/mnist.js';
import { Graph } from '../shared/graph/graph.js';
import { conv2d } from '../shared/graph/layers/conv2d.js';
import { dense } from '../shared/graph/layers/dense.js';
import { maxPooling2d } from '../shared/graph/layers/pooling.js';
import { flatten, reshape } from '../shared/graph/layers/reshape.js';
import { sequential } from '../shared/graph/layers/sequential.js';
import { sparseCategoricalCrossentropy } from '../shared/graph/losses/sparse-categorical-crossentropy.js';
import { adam } from '../shared/optim/adam.js';
import type { Recipe } from '../trainer/recipe.js';

/** Handwritten digits with a convolutional network: two convolutions with pooling, and a dense layer. */
export const recipe: Recipe = {
  summary: 'handwritten digits with a convolutional network: 32c3-pool-64c3-pool-128-10, Adam, cross-entropy',
  model() {
    const graph = new Graph();
    const network = sequential([
      reshape([28, 28, 1]),
      conv2d(32, 3, { padding: 'same', activation: 'relu' }),
      maxPooling2d(),
      conv2d(64, 3, { padding: 'same', activation: 'relu' }),
      maxPooling2d(),
      flatten(),
      dense(128, { activation: 'relu' }),
      dense(10, { activation: 'softmax' }),
    ]);
    const digit = network(graph.input('image', [28, 28]));
    return graph.model(digit, sparseCategoricalCrossentropy({ target: 'label' }));
  },
  data: loadMnist,
  optimizer: adam({ learningRate: 0.001 }),
  batch: 64,
  leafSize: 16,
  epochs: 3,
  goal: { metric: 'testAccuracy', atLeast: 0.99 },
};
