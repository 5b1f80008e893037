import { chosenSamples } from '../shared/data/chosen-samples.js';
import type { Dataset } from '../shared/data/dataset.js';
import { fieldValues } from '../shared/data/field-values.js';
import { loadMnist } from '../shared/data/images/mnist.js';
import { sha256Hex } from '../shared/files/sha256.js';
import { Graph } from '../shared/graph/graph.js';
import { conv2d } from '../shared/graph/layers/conv2d.js';
import { dense } from '../shared/graph/layers/dense.js';
import { maxPooling2d } from '../shared/graph/layers/pooling.js';
import { flatten, reshape } from '../shared/graph/layers/reshape.js';
import { sequential } from '../shared/graph/layers/sequential.js';
import { sparseCategoricalCrossentropy } from '../shared/graph/losses/sparse-categorical-crossentropy.js';
import { adam } from '../shared/optim/adam.js';
import type { Recipe } from '../trainer/recipe.js';

/*
 * Fine-tuning (Yosinski et al.: "How transferable are features in deep neural networks?", 2014): a trunk learns the digits 0 to 4,
 * and helps another head to learn 5 to 9 from a tenth of their images. The weights are taken by name, so the new head is drawn.
 *
 *     npm start -- first-digits --run-dir runs/first
 *     npm start -- other-digits --weights runs/first --freeze 'trunk*' --lr 0.003 --run-dir runs/head
 *     npm start -- other-digits --weights runs/head --lr 0.002
 *
 * The second command trains the head alone, on a frozen trunk; the third thaws it, with a smaller rate.
 */

/** Of the digits 5 to 9, one image out of so many is learned. */
const ONE_IN = 10;

/** The digits 0 to 4, all of their images. */
export const firstDigits = digits(
  '0 to 4, whose trunk other-digits takes',
  'first-head',
  (label) => label < 5,
  1,
);

/** The digits 5 to 9, a tenth of their images. */
export const otherDigits = digits(
  '5 to 9, from a tenth of their images',
  'other-head',
  (label) => label >= 5,
  ONE_IN,
);

function digits(what: string, head: string, isTaken: (label: number) => boolean, oneIn: number): Recipe {
  return {
    summary: `handwritten digits ${what}: 16c3-pool-32c3-pool-64-10, Adam, cross-entropy`,
    model() {
      const graph = new Graph();
      const trunk = [
        ...[reshape([28, 28, 1]), conv2d(16, 3, { activation: 'relu', name: 'trunk1' }), maxPooling2d()],
        ...[conv2d(32, 3, { activation: 'relu', name: 'trunk2' }), maxPooling2d(), flatten()],
        dense(64, { activation: 'relu', name: 'trunk3' }),
      ];
      const output = sequential([...trunk, dense(10, { activation: 'softmax', name: head })]);
      return graph.model(
        output(graph.input('image', [28, 28])),
        sparseCategoricalCrossentropy({ target: 'label' }),
      );
    },
    async data(directory) {
      const { train, test, classes } = await loadMnist(directory);
      const part = (from: Dataset, every: number): Dataset => {
        const labels = fieldValues(from, 'label');
        const numbers = Uint32Array.from(labels.keys()).filter((i) => isTaken(labels[i] as number));
        const chosen = numbers.filter((_, i) => i % every === 0);
        return chosenSamples(from, `${from.manifest.name}-${head}`, chosen, sha256Hex);
      };
      return { train: part(train, oneIn), test: part(test, 1), classes };
    },
    optimizer: adam({ learningRate: 0.001 }),
    batch: 64,
    leafSize: 16,
    epochs: 5,
  };
}
