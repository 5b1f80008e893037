import type { Recipe } from '../coordinator/recipe.js';
import { loadPairs, PAIR_LENGTH } from '../shared/data/parallel-text.js';
import { Graph } from '../shared/graph/graph.js';
import { dense } from '../shared/graph/layers/dense.js';
import { embedding, positionalEmbedding } from '../shared/graph/layers/embedding.js';
import { layerNormalization } from '../shared/graph/layers/layer-normalization.js';
import { sequential } from '../shared/graph/layers/sequential.js';
import { transformerBlock } from '../shared/graph/layers/transformer.js';
import { sparseCategoricalCrossentropy } from '../shared/graph/losses/sparse-categorical-crossentropy.js';
import { adam } from '../shared/optim/adam.js';
import { clipByGlobalNorm } from '../shared/optim/clipping.js';
import { cosineDecay } from '../shared/optim/schedule.js';
import { measureTranslation } from './support/translation-metrics.js';

const WIDTH = 128;
const HEADS = 4;
const LAYERS = 2;

/**
 * A Transformer (Vaswani et al. 2017) translates sentences, piece of a word by piece of a word: verses of the King James
 * Bible to those of the Reina-Valera, or any two files of parallel lines. Measured on chapters that it has never seen,
 * against a dictionary that was learned from the same pairs.
 */
export const recipe: Recipe = {
  summary:
    'English to Spanish with a Transformer: Bible verses, or your own two files of lines (--data FOLDER)',
  model({ alphabet = [] }) {
    const graph = new Graph();
    const mask = graph.input('present', [PAIR_LENGTH]);
    const blocks = (side: string, causal: boolean) =>
      Array.from({ length: LAYERS }, (_, i) =>
        transformerBlock(HEADS, 4 * WIDTH, { causal, dropout: 0.1, name: `${side}${i + 1}` }),
      );
    const embed = () => sequential([embedding(alphabet.length, WIDTH), positionalEmbedding()]);

    let memory = embed()(graph.input('read', [PAIR_LENGTH]));
    for (const block of blocks('encoder', false)) memory = block(memory, { mask });
    memory = layerNormalization()(memory);

    let x = embed()(graph.input('before', [PAIR_LENGTH]));
    for (const block of blocks('decoder', true)) x = block(x, { memory, mask });
    const logits = dense(alphabet.length, { name: 'logits' })(layerNormalization()(x));
    return graph.model(logits, sparseCategoricalCrossentropy({ target: 'written', fromLogits: true }));
  },
  data: loadPairs,
  metrics: measureTranslation,
  optimizer: adam({ learningRate: 0.002 }),
  clipping: clipByGlobalNorm(1),
  schedule: cosineDecay({ warmup: 200, floor: 0.02 }),
  batch: 64,
  leaf: 8,
  epochs: 1,
  steps: 4000,
  goal: { metric: 'timesDictionary', atLeast: 2 },
};
