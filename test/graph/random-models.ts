import { Graph } from '../../shared/graph/graph.js';
import {
  gaussianNoise,
  randomCrop,
  randomFlip,
  randomTranslation,
  specAugment,
} from '../../shared/graph/layers/augmentation.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { dropout } from '../../shared/graph/layers/dropout.js';
import { gru, lstm } from '../../shared/graph/layers/recurrent.js';
import { flatten } from '../../shared/graph/layers/reshape.js';
import { sequential } from '../../shared/graph/layers/sequential.js';
import { transformerBlock } from '../../shared/graph/layers/transformer.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';
import type { Model } from '../../shared/graph/model.js';

/** Models with random layers, which differ between training and evaluation. */
export const RANDOM_MODELS = {
  dropout: (): Model => dropoutModel(0.4),

  /** Dropout of the same inputs at every step. */
  'recurrent-dropout': (): Model => {
    const x = new Graph().input('x', [4, 3]);
    const network = sequential([lstm(4, { returnSequences: true, dropout: 0.2 }), gru(3, { dropout: 0.3 })]);
    return x.graph.model(dense(2)(network(x)), meanSquaredError({ target: 'y' }));
  },

  'transformer-dropout': (): Model => {
    const x = new Graph().input('x', [3, 4]);
    const output = transformerBlock(2, 5, { name: 'block', dropout: 0.25 })(x);
    return x.graph.model(output, meanSquaredError({ target: 'y' }));
  },
  /** Every kind of augmentation, after a layer that is trained through them. */
  augmented: (): Model => {
    const x = new Graph().input('x', [5, 6, 2]);
    const network = sequential([
      dense(2, { activation: 'tanh' }),
      randomTranslation(0.4, 0.2),
      randomFlip(),
      gaussianNoise(0.1),
      randomTranslation(0.2, 0.5, { fillMode: 'constant' }),
      specAugment({ timeMasks: 1, timeWidth: 2, frequencyMasks: 2, frequencyWidth: 1 }),
      randomCrop(4, 3),
      flatten(),
      dense(2),
    ]);
    return x.graph.model(network(x), meanSquaredError({ target: 'y' }));
  },
} as const satisfies Readonly<Record<string, () => Model>>;

/** Two dense layers with dropout before each; the first dropout acts on the data. */
export function dropoutModel(rate: number): Model {
  const x = new Graph().input('x', [5]);
  const network = sequential([dropout(rate), dense(40, { activation: 'tanh' }), dropout(rate), dense(4)]);
  return x.graph.model(network(x), sparseCategoricalCrossentropy({ target: 'y', fromLogits: true }));
}
