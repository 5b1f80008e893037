import { loadFashionMnist } from '../shared/data/images/fashion-mnist.js';
import { Graph } from '../shared/graph/graph.js';
import { conv2d } from '../shared/graph/layers/conv2d.js';
import { dense } from '../shared/graph/layers/dense.js';
import { maxPooling2d } from '../shared/graph/layers/pooling.js';
import { flatten, reshape } from '../shared/graph/layers/reshape.js';
import { sequential } from '../shared/graph/layers/sequential.js';
import { sparseCategoricalCrossentropy } from '../shared/graph/losses/sparse-categorical-crossentropy.js';
import { adam } from '../shared/optim/adam.js';
import type { Recipe } from '../trainer/recipe.js';

/** Images of clothing, which are harder to classify than digits, with the network of mnist-cnn. */
export const recipe: Recipe = {
  summary:
    'ten kinds of clothing with a convolutional network: 32c3-pool-64c3-pool-128-10, Adam, cross-entropy',
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
    const piece = network(graph.input('image', [28, 28]));
    return graph.model(piece, sparseCategoricalCrossentropy({ target: 'label' }));
  },
  data: loadFashionMnist,
  optimizer: adam({ learningRate: 0.001 }),
  batch: 64,
  leafSize: 16,
  epochs: 6,
  goal: { metric: 'testAccuracy', atLeast: 0.91 },
};
