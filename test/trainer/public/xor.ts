import { packSamples } from '../../../shared/data/samples.js';
import { Graph } from '../../../shared/graph/graph.js';
import { dense } from '../../../shared/graph/layers/dense.js';
import { sequential } from '../../../shared/graph/layers/sequential.js';
import { sparseCategoricalCrossentropy } from '../../../shared/graph/losses/sparse-categorical-crossentropy.js';
import { adam } from '../../../shared/optim/adam.js';
import type { Recipe } from '../../../trainer/recipe.js';

/** All pairs of two bits, and whether they differ. */
export function pairs(samples: number) {
  const bits = Array.from({ length: samples }, (_, i) => [i & 1, (i >> 1) & 1] as const);
  return packSamples('pairs', {
    x: { shape: [2], values: bits },
    y: { shape: [], dtype: 'i32', values: bits.map(([a, b]) => a ^ b) },
  });
}

/** Exclusive or, with a small dense network. */
export const xor: Recipe = {
  summary: 'exclusive or',
  model() {
    const graph = new Graph();
    const network = sequential([dense(8, { activation: 'tanh' }), dense(2, { activation: 'softmax' })]);
    return graph.model(network(graph.input('x', [2])), sparseCategoricalCrossentropy({ target: 'y' }));
  },
  data: async () => ({ train: pairs(64), test: pairs(8) }),
  optimizer: adam({ learningRate: 0.05 }),
  batch: 16,
  leafSize: 4,
  epochs: 20,
};
