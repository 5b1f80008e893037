import { loadText } from '../shared/data/texts/text.js';
import { UserError } from '../shared/errors.js';
import { Graph } from '../shared/graph/graph.js';
import { dense } from '../shared/graph/layers/dense.js';
import { embedding } from '../shared/graph/layers/embedding.js';
import { lstm } from '../shared/graph/layers/recurrent.js';
import { sequential } from '../shared/graph/layers/sequential.js';
import { sparseCategoricalCrossentropy } from '../shared/graph/losses/sparse-categorical-crossentropy.js';
import { perplexity } from '../shared/metrics/perplexity.js';
import { adam } from '../shared/optim/adam.js';
import { cosineDecay } from '../shared/optim/schedule.js';
import type { Recipe } from '../trainer/recipe.js';

const CONTEXT = 64;
const WIDTH = 64;
const UNITS = 256;
const LAYERS = 2;

/**
 * The task of char-gpt with about as many parameters, without attention (Karpathy: "The unreasonable effectiveness of
 * recurrent neural networks", 2015): two LSTM layers, whose state is zero at the start of each window. testLoss is the
 * mean loss over the last tenth of the text.
 */
export const recipe: Recipe = {
  summary: 'text, character by character, with 2 LSTM layers of 256 units, context 64 (--text FILE)',
  model({ alphabet = [] }) {
    const graph = new Graph();
    const layers = Array.from({ length: LAYERS }, (_, i) =>
      lstm(UNITS, { returnSequences: true, name: `lstm${i + 1}` }),
    );
    const network = sequential([
      embedding(alphabet.length, WIDTH),
      ...layers,
      dense(alphabet.length, { name: 'logits' }),
    ]);
    const logits = network(graph.input('x', [CONTEXT]));
    return graph.model(logits, sparseCategoricalCrossentropy({ target: 'y', fromLogits: true }));
  },
  async data(file) {
    if (file === undefined) {
      throw new UserError(
        'char-lstm needs a text to learn: name one with --text FILE, such as any book in plain text',
        2,
      );
    }
    return loadText(file, CONTEXT, 0.9);
  },
  metrics: async (_predictor, _data, { testLoss = 0 }) => ({ testPerplexity: perplexity(testLoss) }),
  optimizer: adam({ learningRate: 0.002 }),
  schedule: cosineDecay({ warmup: 100, floor: 0.1 }),
  batch: 12,
  leafSize: 4,
  epochs: 1,
  steps: 2000,
};
