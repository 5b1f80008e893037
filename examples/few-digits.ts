import { firstSamples } from '../shared/data/first-samples.js';
import { loadMnist } from '../shared/data/images/mnist.js';
import { sha256Hex } from '../shared/files/sha256.js';
import { Graph, type Layer } from '../shared/graph/graph.js';
import { activation } from '../shared/graph/layers/activation.js';
import { randomTranslation } from '../shared/graph/layers/augmentation.js';
import { batchNormalization } from '../shared/graph/layers/batch-normalization.js';
import { dense } from '../shared/graph/layers/dense.js';
import { dropout } from '../shared/graph/layers/dropout.js';
import { flatten, reshape } from '../shared/graph/layers/reshape.js';
import { sequential } from '../shared/graph/layers/sequential.js';
import { sparseCategoricalCrossentropy } from '../shared/graph/losses/sparse-categorical-crossentropy.js';
import { l2 } from '../shared/graph/regularizers.js';
import { adam } from '../shared/optim/adam.js';
import type { Goal, Recipe } from '../trainer/recipe.js';

/*
 * A network that overfits the first thousand digits of MNIST, and four remedies. Everything else is the same in all five.
 */

const SAMPLES = 1000;
const UNITS = 256;

const relu = (): Layer => dense(UNITS, { activation: 'relu' });

/** No remedy: the training loss falls to 0, and the test loss rises. */
export const overfitting = few('overfitted', () => [relu(), relu()]);

/** Each step drops a fifth of the pixels and half of the units (Srivastava et al.: "Dropout", 2014). */
export const droppedOut = few('with dropout', () => [
  dropout(0.2),
  ...[relu(), dropout(0.5)],
  ...[relu(), dropout(0.5)],
]);

/** A penalty on large weights makes the decision boundaries smooth (Hoerl, Kennard: ridge regression, 1970). */
export const penalised = few('with L2 regularisation', () => {
  const layer = (): Layer => dense(UNITS, { activation: 'relu', kernelRegularizer: l2(0.001) });
  return [layer(), layer()];
});

/** Normalisation with the other digits of the group varies a digit from step to step (Ioffe, Szegedy 2015). */
export const normalised = few('with batch normalisation', () => {
  const layer = (): Layer[] => [dense(UNITS), batchNormalization(), activation('relu')];
  return [...layer(), ...layer()];
});

/** Augmentation: each step shifts a digit by up to three pixels, in one of 49 ways. */
export const moved = few('with random translation', () => [relu(), relu()], {
  before: [reshape([28, 28, 1]), randomTranslation(0.1, 0.1, { fillMode: 'constant' })],
  goal: { metric: 'testAccuracy', atLeast: 0.93 },
});

function few(
  what: string,
  hidden: () => readonly Layer[],
  { before = [], goal }: { readonly before?: readonly Layer[]; readonly goal?: Goal } = {},
): Recipe {
  return {
    summary: `a thousand handwritten digits, ${what}: 784-256-256-10, Adam, cross-entropy`,
    model() {
      const graph = new Graph();
      const network = sequential([...before, flatten(), ...hidden(), dense(10, { activation: 'softmax' })]);
      const digit = network(graph.input('image', [28, 28]));
      return graph.model(digit, sparseCategoricalCrossentropy({ target: 'label' }));
    },
    async data(directory) {
      const { train, ...rest } = await loadMnist(directory);
      return { train: firstSamples(train, Math.min(SAMPLES, train.manifest.samples), sha256Hex), ...rest };
    },
    optimizer: adam({ learningRate: 0.001 }),
    batch: 64,
    leafSize: 16,
    epochs: 60,
    ...(goal && { goal }),
  };
}
