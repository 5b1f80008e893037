import { loadText } from '../shared/data/texts/text.js';
import { UserError } from '../shared/errors.js';
import { Graph } from '../shared/graph/graph.js';
import { dense } from '../shared/graph/layers/dense.js';
import { embedding, positionalEmbedding } from '../shared/graph/layers/embedding.js';
import { layerNormalization } from '../shared/graph/layers/layer-normalization.js';
import { sequential } from '../shared/graph/layers/sequential.js';
import { transformerBlock } from '../shared/graph/layers/transformer.js';
import { sparseCategoricalCrossentropy } from '../shared/graph/losses/sparse-categorical-crossentropy.js';
import { perplexity } from '../shared/metrics/perplexity.js';
import { adamw } from '../shared/optim/adam.js';
import { clipByGlobalNorm } from '../shared/optim/clipping.js';
import { cosineDecay } from '../shared/optim/schedule.js';
import type { Recipe } from '../trainer/recipe.js';

const CONTEXT = 64;
const WIDTH = 128;
const HEADS = 4;
const LAYERS = 4;

/**
 * A decoder-only Transformer that learns a text character by character, in the size that nanoGPT trains on a CPU
 * (github.com/karpathy/nanoGPT, config/train_shakespeare_char.py and readme). It learns the first nine tenths of the
 * text; testLoss is the mean loss over the rest.
 */
export const recipe: Recipe = {
  summary:
    'text, character by character, with a small GPT: 4 layers, 4 heads, width 128, context 64 (--text FILE)',
  model({ alphabet = [] }) {
    const graph = new Graph();
    const kernelInitializer = 'smallNormal';
    const blocks = Array.from({ length: LAYERS }, (_, i) =>
      transformerBlock(HEADS, 4 * WIDTH, { causal: true, kernelInitializer, name: `block${i + 1}` }),
    );
    const network = sequential([
      embedding(alphabet.length, WIDTH),
      positionalEmbedding(),
      ...blocks,
      layerNormalization(),
      dense(alphabet.length, { kernelInitializer, name: 'logits' }),
    ]);
    const logits = network(graph.input('x', [CONTEXT]));
    return graph.model(logits, sparseCategoricalCrossentropy({ target: 'y', fromLogits: true }));
  },
  async data(file) {
    if (file === undefined) {
      throw new UserError(
        'char-gpt needs a text to learn: name one with --text FILE, such as any book in plain text',
        2,
      );
    }
    return loadText(file, CONTEXT, 0.9);
  },
  metrics: async (_predictor, _data, { testLoss = 0 }) => ({ testPerplexity: perplexity(testLoss) }),
  optimizer: adamw({ learningRate: 0.002, beta2: 0.99, weightDecay: 0.1, epsilon: 1e-8 }),
  clipping: clipByGlobalNorm(1),
  schedule: cosineDecay({ warmup: 100, floor: 0.1 }),
  batch: 12,
  leafSize: 4,
  epochs: 1,
  steps: 2000,
  goal: { metric: 'testLoss', atMost: 1.88 },
};
