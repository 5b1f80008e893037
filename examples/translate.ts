import type { Recipe } from '../coordinator/recipe.js';
import { loadPairs, PAIR_LENGTH } from '../shared/data/parallel-text.js';
import { NOT_SAID } from '../shared/data/piece-pairs.js';
import { Graph } from '../shared/graph/graph.js';
import { positionalEmbedding, reversibleEmbedding } from '../shared/graph/layers/embedding.js';
import { layerNormalization } from '../shared/graph/layers/layer-normalization.js';
import { transformerBlock } from '../shared/graph/layers/transformer.js';
import { sparseCategoricalCrossentropy } from '../shared/graph/losses/sparse-categorical-crossentropy.js';
import { adam } from '../shared/optim/adam.js';
import { clipByGlobalNorm } from '../shared/optim/clipping.js';
import { cosineDecay } from '../shared/optim/schedule.js';
import { measureTranslation } from './support/translation-metrics.js';

const WIDTH = 128;
const HEADS = 4;
const LAYERS = 2;
const DROPOUT = 0.2;

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
        transformerBlock(HEADS, 4 * WIDTH, { causal, dropout: DROPOUT, name: `${side}${i + 1}` }),
      );
    const pieces = reversibleEmbedding(alphabet.length, WIDTH, { name: 'pieces' });

    let memory = positionalEmbedding()(pieces(graph.input('read', [PAIR_LENGTH])));
    for (const block of blocks('encoder', false)) memory = block(memory, { mask });
    memory = layerNormalization()(memory);

    let x = positionalEmbedding()(pieces(graph.input('before', [PAIR_LENGTH])));
    for (const block of blocks('decoder', true)) x = block(x, { memory, mask });
    const logits = pieces(layerNormalization()(x), { reverse: true });
    const settings = { fromLogits: true, labelSmoothing: 0.1, ignoreIndex: NOT_SAID };
    return graph.model(logits, sparseCategoricalCrossentropy({ target: 'written', ...settings }));
  },
  data: loadPairs,
  metrics: measureTranslation,
  optimizer: adam({ learningRate: 0.002 }),
  clipping: clipByGlobalNorm(1),
  schedule: cosineDecay({ warmup: 400, floor: 0.02 }),
  batch: 64,
  leaf: 8,
  epochs: 1,
  steps: 10_000,
  goal: { metric: 'timesDictionary', atLeast: 2 },
};
