import {
  digitDataset,
  digitPreprocessing,
  loadSpokenDigits,
  newcomerSplit,
  ownSplit,
  type SpokenDigit,
  type SpokenSplit,
} from '../shared/data/audio/spoken-digits.js';
import { Graph } from '../shared/graph/graph.js';
import { randomTranslation, specAugment } from '../shared/graph/layers/augmentation.js';
import { conv2d } from '../shared/graph/layers/conv2d.js';
import { dense } from '../shared/graph/layers/dense.js';
import { dropout } from '../shared/graph/layers/dropout.js';
import { maxPooling2d } from '../shared/graph/layers/pooling.js';
import { flatten, reshape } from '../shared/graph/layers/reshape.js';
import { sequential } from '../shared/graph/layers/sequential.js';
import { sparseCategoricalCrossentropy } from '../shared/graph/losses/sparse-categorical-crossentropy.js';
import { adam } from '../shared/optim/adam.js';
import { cosineDecay } from '../shared/optim/schedule.js';
import type { Recipe } from '../trainer/recipe.js';

/** The speaker that the newcomer recipe holds out. */
const NEWCOMER = 'theo';

/** Single spoken digits: log-mel spectrograms, classified as images by a convolutional network. */
export const recipe = speech(
  'spoken digits with a convolutional network on log-mel spectrograms (--data FSDD)',
  {
    splitOf: ownSplit,
    goal: { metric: 'testAccuracy', atLeast: 0.97 },
  },
);

/** The same, tested on a speaker who is not in the training data. */
export const newcomer = speech(
  `the same, tested on a speaker (${NEWCOMER}) who is not in the training data`,
  {
    splitOf: (digits) => newcomerSplit(digits, NEWCOMER),
  },
);

function speech(
  summary: string,
  { splitOf, goal }: { splitOf: (digits: readonly SpokenDigit[]) => SpokenSplit } & Pick<Recipe, 'goal'>,
): Recipe {
  return {
    summary,
    model() {
      const graph = new Graph();
      const network = sequential([
        specAugment({ timeMasks: 1, frequencyMasks: 1 }),
        reshape([64, 32, 1]),
        randomTranslation(0.15, 0.06),
        conv2d(24, 3, { padding: 'same', activation: 'relu' }),
        maxPooling2d(),
        conv2d(48, 3, { padding: 'same', activation: 'relu' }),
        maxPooling2d(),
        conv2d(64, 3, { padding: 'same', activation: 'relu' }),
        maxPooling2d(),
        flatten(),
        dropout(0.4),
        dense(96, { activation: 'relu' }),
        dropout(0.4),
        dense(10, { activation: 'softmax' }),
      ]);
      const digit = network(graph.input('spectrogram', [64, 32]));
      return graph.model(digit, sparseCategoricalCrossentropy({ target: 'label' }));
    },
    async data(path) {
      const { train, test } = splitOf(await loadSpokenDigits(path));
      return {
        train: digitDataset('spoken-digits', train),
        test: digitDataset('spoken-digits-held-out', test),
        preprocessing: digitPreprocessing(),
      };
    },
    optimizer: adam({ learningRate: 0.001 }),
    schedule: cosineDecay({ warmup: 50, floor: 0.02 }),
    batch: 32,
    leafSize: 8,
    epochs: 40,
    ...(goal === undefined ? {} : { goal }),
  };
}
