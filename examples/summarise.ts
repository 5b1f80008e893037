import type { Recipe } from '../coordinator/recipe.js';
import { loadSummaries, SUMMARY_LENGTHS } from '../shared/data/descriptions.js';
import { NOT_SAID } from '../shared/data/piece-pairs.js';
import { Graph } from '../shared/graph/graph.js';
import { positionalEmbedding, reversibleEmbedding } from '../shared/graph/layers/embedding.js';
import { layerNormalization } from '../shared/graph/layers/layer-normalization.js';
import { transformerBlock } from '../shared/graph/layers/transformer.js';
import { sparseCategoricalCrossentropy } from '../shared/graph/losses/sparse-categorical-crossentropy.js';
import { adam } from '../shared/optim/adam.js';
import { clipByGlobalNorm } from '../shared/optim/clipping.js';
import { cosineDecay } from '../shared/optim/schedule.js';
import { measureSummaries } from './support/summary-metrics.js';

const WIDTH = 128;
const HEADS = 4;
const LAYERS = 2;

/**
 * A Transformer (Vaswani et al. 2017) sums up what a package is for: from its name and the beginning of its long
 * description to the short one. Both sides and the logits share one table of pieces of words, so that what was read is
 * easily said again.
 * Measured on programs that it has never seen, against saying the first sentence.
 */
export const recipe: Recipe = {
  summary: 'long descriptions of Debian packages to short ones with a Transformer, or your own (--data FILE)',
  model({ alphabet = [] }) {
    const graph = new Graph();
    const mask = graph.input('present', [SUMMARY_LENGTHS.read]);
    const blocks = (side: string, causal: boolean) =>
      Array.from({ length: LAYERS }, (_, i) =>
        transformerBlock(HEADS, 4 * WIDTH, { causal, dropout: 0.1, name: `${side}${i + 1}` }),
      );
    const pieces = reversibleEmbedding(alphabet.length, WIDTH, { name: 'pieces' });

    let memory = positionalEmbedding()(pieces(graph.input('read', [SUMMARY_LENGTHS.read])));
    for (const block of blocks('encoder', false)) memory = block(memory, { mask });
    memory = layerNormalization()(memory);

    let x = positionalEmbedding()(pieces(graph.input('before', [SUMMARY_LENGTHS.written])));
    for (const block of blocks('decoder', true)) x = block(x, { memory, mask });
    const logits = pieces(layerNormalization()(x), { reverse: true });
    const settings = { fromLogits: true, labelSmoothing: 0.1, ignoreIndex: NOT_SAID };
    return graph.model(logits, sparseCategoricalCrossentropy({ target: 'written', ...settings }));
  },
  data: loadSummaries,
  metrics: measureSummaries,
  optimizer: adam({ learningRate: 0.002 }),
  clipping: clipByGlobalNorm(1),
  schedule: cosineDecay({ warmup: 200, floor: 0.02 }),
  batch: 64,
  leaf: 8,
  epochs: 1,
  steps: 4000,
  goal: { metric: 'timesLead', atLeast: 1 },
};
