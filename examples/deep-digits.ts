import { loadMnist } from '../shared/data/images/mnist.js';
import { Graph, type Layer } from '../shared/graph/graph.js';
import { dense } from '../shared/graph/layers/dense.js';
import { add } from '../shared/graph/layers/merge.js';
import { flatten } from '../shared/graph/layers/reshape.js';
import { sequential } from '../shared/graph/layers/sequential.js';
import { sparseCategoricalCrossentropy } from '../shared/graph/losses/sparse-categorical-crossentropy.js';
import { sgd } from '../shared/optim/sgd.js';
import type { Recipe } from '../trainer/recipe.js';

/*
 * Networks with ten hidden layers, for --inspect-gradients: what makes error terms vanish or explode on their way back
 * through many layers, and two remedies. Everything else is the same in all four.
 */

const HIDDEN_LAYERS = 10;
const UNITS = 32;

/** The slope of a sigmoid is at most 1/4, so each layer shrinks the error term to a quarter or less. */
export const vanishing = deep('ten sigmoid layers: error terms vanish', () =>
  dense(UNITS, { activation: 'sigmoid' }),
);

/** With all weights 1, each layer multiplies values and error terms by 32. */
export const exploding = deep('ten relu layers with weights of 1: values and error terms explode', () =>
  dense(UNITS, { activation: 'relu', kernelInitializer: 'ones' }),
);

/** relu has slope 1 where it is positive, and He initialization keeps the variance of its values constant. */
export const cured = deep('ten relu layers with He initialization: error terms keep their size', () =>
  dense(UNITS, { activation: 'relu', kernelInitializer: 'heNormal' }),
);

/** A skip connection around each layer passes error terms unchanged (He et al.: "Deep residual learning", 2015). */
export const residual = deep(
  'ten sigmoid layers with skip connections: error terms reach the first layer',
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
    leafSize: 16,
    epochs: 2,
  };
}
