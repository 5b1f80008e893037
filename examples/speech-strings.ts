import type { Recipe, RecipeData } from '../coordinator/recipe.js';
import { BANDS } from '../shared/data/audio/spectrogram.js';
import {
  loadSpokenDigits,
  newcomerSplit,
  ownSplit,
  type SpokenDigit,
  type SpokenSplit,
} from '../shared/data/audio/spoken-digits.js';
import { DIGITS_MOST, STRING_FRAMES, stringDataset } from '../shared/data/audio/spoken-strings.js';
import { fieldValues } from '../shared/data/field-values.js';
import type { Predictor } from '../shared/engine/prediction.js';
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
import { errorRate } from '../shared/metrics/edit-distance.js';
import { adam } from '../shared/optim/adam.js';
import { clipByGlobalNorm } from '../shared/optim/clipping.js';
import { cosineDecay } from '../shared/optim/schedule.js';
import { decodeCtc } from './support/ctc-greedy.js';

/** Who is held out, where somebody is. */
const NEWCOMER = 'theo';
/** Ten digits and the blank. */
const CLASSES = 11;
const LEARNED = 6000;
const ASKED = 500;

/**
 * Strings of 3 to 7 spoken digits. The network is told what was said, not when: connectionist temporal classification
 * finds that out by itself. Two convolutions see the sound, a GRU in each direction hears what comes before and after.
 */
export const recipe = strings('strings of spoken digits by convolutions and GRUs with CTC (--data FSDD)', {
  splitOf: ownSplit,
  goal: { metric: 'digitErrorRate', atMost: 0.06 },
});

/** The same, asked about a speaker whom it has never heard. */
export const newcomer = strings(`the same, with ${NEWCOMER} held out: a voice that it has never heard`, {
  splitOf: (digits) => newcomerSplit(digits, NEWCOMER),
});

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
        train: stringDataset('spoken-strings', train, LEARNED, 1),
        test: stringDataset('spoken-strings-held-out', test, ASKED, 2),
      };
    },
    metrics: measureStrings,
    optimizer: adam({ learningRate: 0.002 }),
    schedule: cosineDecay({ warmup: 100, floor: 0.02 }),
    clipping: clipByGlobalNorm(5),
    batch: 32,
    leaf: 8,
    epochs: 12,
    ...(goal === undefined ? {} : { goal }),
  };
}

/** Edits per digit between what is said and what was heard, and the share of strings that are heard without any. */
async function measureStrings(
  predictor: Predictor,
  { test }: RecipeData,
): Promise<{ digitErrorRate: number; exactMatch: number }> {
  const rows = test.manifest.samples;
  const outputs = await predictor.predict({ spectrogram: fieldValues(test, 'spectrogram') });
  const labels = fieldValues(test, 'digits');
  const pairs = decodeCtc(outputs, rows, CLASSES).map((said, row) => {
    const padded = Array.from(labels.subarray(row * DIGITS_MOST, (row + 1) * DIGITS_MOST));
    return { said, reference: padded.filter((label) => label > 0) };
  });
  const right = pairs.filter(({ said, reference }) => said.join() === reference.join()).length;
  return { digitErrorRate: errorRate(pairs), exactMatch: right / rows };
}
