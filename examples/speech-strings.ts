import { BANDS } from '../shared/data/audio/spectrogram.js';
import {
  loadSpokenDigits,
  newcomerSplit,
  ownSplit,
  type SpokenDigit,
  type SpokenSplit,
} from '../shared/data/audio/spoken-digits.js';
import {
  DIGITS_MOST,
  STRING_FRAMES,
  stringDataset,
  stringPreprocessing,
} from '../shared/data/audio/spoken-strings.js';
import { Graph } from '../shared/graph/graph.js';
import { specAugment } from '../shared/graph/layers/augmentation.js';
import { bidirectional } from '../shared/graph/layers/bidirectional.js';
import { conv2d } from '../shared/graph/layers/conv2d.js';
import { dense } from '../shared/graph/layers/dense.js';
import { dropout } from '../shared/graph/layers/dropout.js';
import { concatenate } from '../shared/graph/layers/merge.js';
import { gru } from '../shared/graph/layers/recurrent.js';
import { reshape } from '../shared/graph/layers/reshape.js';
import { sequential } from '../shared/graph/layers/sequential.js';
import { ctc } from '../shared/graph/losses/ctc.js';
import { adam } from '../shared/optim/adam.js';
import { clipByGlobalNorm } from '../shared/optim/clipping.js';
import { cosineDecay } from '../shared/optim/schedule.js';
import { measureSequences } from '../trainer/measures/sequences.js';
import type { Recipe } from '../trainer/recipe.js';

/** The speaker that the newcomer recipe holds out. */
const NEWCOMER = 'theo';
/** Ten digits and the blank. */
const CLASSES = 11;
const TRAIN_STRINGS = 6000;
const TEST_STRINGS = 500;
/** Of few recordings, more strings than this would say the same again. */
const STRINGS_PER_RECORDING = 10;

/**
 * Strings of 3 to 7 spoken digits. The labels contain the digits without their times: connectionist temporal
 * classification aligns them. Two convolutions read the spectrogram, a bidirectional GRU adds the context.
 */
export const recipe = strings('strings of spoken digits with convolutions, GRUs and CTC (--data FSDD)', {
  splitOf: ownSplit,
  goal: { metric: 'digitErrorRate', atMost: 0.06 },
});

/** The same, tested on a speaker who is not in the training data. */
export const newcomer = strings(
  `the same, tested on a speaker (${NEWCOMER}) who is not in the training data`,
  {
    splitOf: (digits) => newcomerSplit(digits, NEWCOMER),
  },
);

function strings(
  summary: string,
  { splitOf, goal }: { splitOf: (digits: readonly SpokenDigit[]) => SpokenSplit } & Pick<Recipe, 'goal'>,
): Recipe {
  return {
    summary,
    model() {
      const graph = new Graph();
      const network = sequential([
        specAugment({ timeMasks: 4, timeWidth: 8, frequencyMasks: 1 }),
        reshape([STRING_FRAMES, BANDS, 1]),
        conv2d(24, 3, { strides: 2, padding: 'same', activation: 'relu' }),
        conv2d(48, 3, { strides: 2, padding: 'same', activation: 'relu' }),
        reshape([STRING_FRAMES / 4, (BANDS / 4) * 48]),
        dropout(0.3),
        bidirectional((direction) => gru(96, { returnSequences: true, ...direction }), concatenate()),
        dropout(0.3),
        dense(CLASSES, { name: 'logits' }),
      ]);
      const logits = network(graph.input('spectrogram', [STRING_FRAMES, BANDS]));
      return graph.model(logits, ctc({ target: 'digits', length: DIGITS_MOST }));
    },
    async data(path) {
      const { train, test } = splitOf(await loadSpokenDigits(path));
      return {
        train: stringDataset('spoken-strings', train, stringsOf(train, TRAIN_STRINGS), 1),
        test: stringDataset('spoken-strings-held-out', test, stringsOf(test, TEST_STRINGS), 2),
        preprocessing: stringPreprocessing(),
      };
    },
    metrics: (predictor, { test }) => measureSequences(predictor, test, CLASSES),
    optimizer: adam({ learningRate: 0.002 }),
    schedule: cosineDecay({ warmup: 100, floor: 0.02 }),
    clipping: clipByGlobalNorm(5),
    batch: 32,
    leafSize: 8,
    epochs: 12,
    ...(goal === undefined ? {} : { goal }),
  };
}

function stringsOf(recordings: readonly SpokenDigit[], most: number): number {
  return Math.min(most, STRINGS_PER_RECORDING * recordings.length);
}
