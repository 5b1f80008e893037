import { loadMnist } from '../shared/data/images/mnist.js';
import { Graph } from '../shared/graph/graph.js';
import { dense } from '../shared/graph/layers/dense.js';
import { flatten } from '../shared/graph/layers/reshape.js';
import { sequential } from '../shared/graph/layers/sequential.js';
import { sparseCategoricalCrossentropy } from '../shared/graph/losses/sparse-categorical-crossentropy.js';
import { adam } from '../shared/optim/adam.js';
import type { Recipe } from '../trainer/recipe.js';

/** Handwritten digits with a minimal network: one hidden layer of ten neurons. */
export const recipe: Recipe = {
  summary: 'handwritten digits with a small dense network: 784-10-10, Adam, cross-entropy',
  model() {
    const graph = new Graph();
    const network = sequential([
      flatten(),
      dense(10, { activation: 'relu' }),
      dense(10, { activation: 'softmax' }),
    ]);
    const digit = network(graph.input('image', [28, 28]));
    return graph.model(digit, sparseCategoricalCrossentropy({ target: 'label' }));
  },
  data: loadMnist,
  optimizer: adam({ learningRate: 0.001 }),
  batch: 128,
  leafSize: 16,
  epochs: 5,
  goal: { metric: 'testAccuracy', atLeast: 0.92 },
};
