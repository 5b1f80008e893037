import { DATE_SIZES, DATES, loadDates } from '../shared/data/texts/dates.js';
import { Graph } from '../shared/graph/graph.js';
import { dense } from '../shared/graph/layers/dense.js';
import { embedding, positionalEmbedding } from '../shared/graph/layers/embedding.js';
import { layerNormalization } from '../shared/graph/layers/layer-normalization.js';
import { sequential } from '../shared/graph/layers/sequential.js';
import { transformerBlock } from '../shared/graph/layers/transformer.js';
import { sparseCategoricalCrossentropy } from '../shared/graph/losses/sparse-categorical-crossentropy.js';
import { adam } from '../shared/optim/adam.js';
import { cosineDecay } from '../shared/optim/schedule.js';
import { measureCharacters } from '../trainer/measures/characters.js';
import type { Recipe } from '../trainer/recipe.js';

const WIDTH = 64;
const HEADS = 4;
const LAYERS = 2;

/**
 * A small Transformer (Vaswani et al. 2017) that converts dates to ISO 8601, character by character:
 * 'Thursday, 5 March 1998' and '5/3/98' become '1998-03-05'. Tested on days that are not in the training data.
 */
export const recipe: Recipe = {
  summary:
    'dates in words and numbers to ISO 8601 with a Transformer: encoder and decoder of 2 layers, width 64',
  model() {
    const graph = new Graph();
    const mask = graph.input('present', [DATE_SIZES.readLength]);
    const blocks = (side: string, causal: boolean) =>
      Array.from({ length: LAYERS }, (_, i) =>
        transformerBlock(HEADS, 4 * WIDTH, { causal, name: `${side}${i + 1}` }),
      );
    const embed = (symbols: number) => sequential([embedding(symbols, WIDTH), positionalEmbedding()]);

    let memory = embed(DATE_SIZES.read)(graph.input('read', [DATE_SIZES.readLength]));
    for (const block of blocks('encoder', false)) memory = block(memory, { mask });
    memory = layerNormalization()(memory);

    let x = embed(DATE_SIZES.written + 1)(graph.input('before', [DATE_SIZES.writtenLength]));
    for (const block of blocks('decoder', true)) x = block(x, { memory, mask });
    const logits = dense(DATE_SIZES.written, { name: 'logits' })(layerNormalization()(x));
    return graph.model(logits, sparseCategoricalCrossentropy({ target: 'written', fromLogits: true }));
  },
  data: async () => loadDates(),
  metrics: (predictor, { test }) => measureCharacters(predictor, test, DATES),
  optimizer: adam({ learningRate: 0.001 }),
  schedule: cosineDecay({ warmup: 100, floor: 0.01 }),
  batch: 64,
  leafSize: 8,
  epochs: 1,
  steps: 1500,
  goal: { metric: 'exactMatch', atLeast: 0.98 },
};
