import { loadSummaries, SUMMARY_LENGTHS } from '../shared/data/texts/descriptions.js';
import { clipByGlobalNorm } from '../shared/optim/clipping.js';
import { muon } from '../shared/optim/muon.js';
import { cosineDecay } from '../shared/optim/schedule.js';
import { measureSummaries } from '../trainer/measures/summaries.js';
import type { Recipe } from '../trainer/recipe.js';
import { pieceTransformer } from './support/piece-transformer.js';

/**
 * A Transformer (Vaswani et al. 2017) that writes the short description of a package from its name and the start of its
 * long description. Tested on packages that are not in the training data; the baseline is the first sentence.
 */
export const recipe: Recipe = {
  summary: 'long to short descriptions of Debian packages with a Transformer, or your own (--data FILE)',
  model: ({ alphabet = [] }) =>
    pieceTransformer({
      pieces: alphabet.length,
      lengths: SUMMARY_LENGTHS,
      layers: 2,
      heads: 4,
      width: 128,
      dropout: 0.2,
    }),
  data: loadSummaries,
  metrics: measureSummaries,
  optimizer: muon({ learningRate: 0.02, adamLearningRate: 0.002, beta2: 0.999, epsilon: 1e-7 }),
  clipping: clipByGlobalNorm(1),
  schedule: cosineDecay({ warmup: 200, floor: 0.02 }),
  batch: 64,
  leafSize: 8,
  epochs: 1,
  steps: 5000,
  goal: { metric: 'zScore', atLeast: 2 },
};
