import { loadPairs, PAIR_LENGTH } from '../shared/data/texts/parallel-text.js';
import { clipByGlobalNorm } from '../shared/optim/clipping.js';
import { muon } from '../shared/optim/muon.js';
import { cosineDecay } from '../shared/optim/schedule.js';
import type { Recipe } from '../trainer/recipe.js';
import { pieceTransformer } from './support/piece-transformer.js';
import { measureTranslation } from './support/translation-metrics.js';

/**
 * A Transformer (Vaswani et al. 2017) that translates sentences, split into pieces of words: verses of the King James
 * Bible to those of the Reina-Valera, or any two files of parallel lines. Tested on chapters that are not in the training
 * data; the baseline is a dictionary that is learned from the same pairs.
 */
export const recipe: Recipe = {
  summary:
    'English to Spanish with a Transformer: Bible verses, or your own two files of lines (--data FOLDER)',
  model: ({ alphabet = [] }) =>
    pieceTransformer({
      pieces: alphabet.length,
      lengths: { read: PAIR_LENGTH, written: PAIR_LENGTH },
      layers: 2,
      heads: 4,
      width: 128,
      dropout: 0.25,
    }),
  data: loadPairs,
  metrics: measureTranslation,
  optimizer: muon({ learningRate: 0.02, adamLearningRate: 0.002, beta2: 0.999, epsilon: 1e-7 }),
  clipping: clipByGlobalNorm(1),
  schedule: cosineDecay({ warmup: 400, floor: 0.02 }),
  batch: 64,
  leafSize: 8,
  epochs: 1,
  steps: 8000,
  goal: { metric: 'timesDictionary', atLeast: 2 },
};
