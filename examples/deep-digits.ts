import type { Recipe } from '../coordinator/recipe.js';
import { loadMnist } from '../shared/data/images/mnist.js';
import { Graph, type Layer } from '../shared/graph/graph.js';
import { dense } from '../shared/graph/layers/dense.js';
import { add } from '../shared/graph/layers/merge.js';
import { flatten } from '../shared/graph/layers/reshape.js';
import { sequential } from '../shared/graph/layers/sequential.js';
import { sparseCategoricalCrossentropy } from '../shared/graph/losses/sparse-categorical-crossentropy.js';
import { sgd } from '../shared/optim/sgd.js';

/*
 * Ten hidden layers between the digits and their names, to be watched with --watch-gradients: what makes error terms
 * vanish or explode on their way back through so many, and what cures it. All else is the same in the four.
 */

const HIDDEN_LAYERS = 10;
const UNITS = 32;

/** The slope of a sigmoid is at most 1/4: each layer takes three quarters of the error term away, or more. */
export const vanishing = deep('ten layers of sigmoid: error terms vanish', () =>
  dense(UNITS, { activation: 'sigmoid' }),
);

/** Weights that are all 1 add up whatever comes: each layer multiplies values and error terms by 32. */
export const exploding = deep('ten layers of relu, all weights 1: values and error terms explode', () =>
  dense(UNITS, { activation: 'relu', kernelInitializer: 'ones' }),
);

/** relu has the slope 1 where it is open, and weights drawn after He keep the size of what goes through. */
export const cured = deep('ten layers of relu, weights drawn after He: error terms keep their size', () =>
  dense(UNITS, { activation: 'relu', kernelInitializer: 'heNormal' }),
);

/** Around each layer goes a way on which nothing is multiplied (He et al.: "Deep residual learning", 2015). */
export const residual = deep(
  'ten layers of sigmoid, with a way around each: error terms come through',
  () => {
    const layer = dense(UNITS, { activation: 'sigmoid' });
    return (x) => (x.shape.at(-1) === UNITS ? add()([x, layer(x)]) : layer(x));
  },
);

function deep(what: string, hidden: () => Layer): Recipe {
  return {
    summary: `handwritten digits with ${what}`,
    model() {
      const graph = new Graph();
      const network = sequential([
        flatten(),
        ...Array.from({ length: HIDDEN_LAYERS }, hidden),
        dense(10, { activation: 'softmax' }),
      ]);
      const digit = network(graph.input('image', [28, 28]));
      return graph.model(digit, sparseCategoricalCrossentropy({ target: 'label' }));
    },
    data: loadMnist,
    optimizer: sgd({ learningRate: 0.05 }),
    batch: 64,
    leaf: 16,
    epochs: 2,
  };
}
