import { DATE_SIZES, DATES, loadDates } from '../shared/data/texts/dates.js';
import { Graph, type Tensor } from '../shared/graph/graph.js';
import { bidirectional } from '../shared/graph/layers/bidirectional.js';
import { dense } from '../shared/graph/layers/dense.js';
import { embedding } from '../shared/graph/layers/embedding.js';
import { add } from '../shared/graph/layers/merge.js';
import { multiHeadAttention } from '../shared/graph/layers/multi-head-attention.js';
import { lstm } from '../shared/graph/layers/recurrent.js';
import { sparseCategoricalCrossentropy } from '../shared/graph/losses/sparse-categorical-crossentropy.js';
import { adam } from '../shared/optim/adam.js';
import { cosineDecay } from '../shared/optim/schedule.js';
import { measureCharacters } from '../trainer/measures/characters.js';
import type { Recipe } from '../trainer/recipe.js';

const UNITS = 64;

/**
 * The task of translate-dates with recurrent layers: a bidirectional LSTM reads the date, another LSTM writes it. The
 * writer's state at each character is the query of dot-product attention with one head (after Luong, Pham, Manning:
 * "Effective approaches to attention-based neural machine translation", 2015, without input feeding). The decoder's
 * initial state is the sum of the encoder's final states in both directions.
 */
export const recipe: Recipe = {
  summary: 'dates in words and numbers to ISO 8601 with LSTM encoder and decoder, 64 units, and attention',
  model() {
    const graph = new Graph();
    const mask = graph.input('present', [DATE_SIZES.readLength]);
    const read = embedding(DATE_SIZES.read, UNITS)(graph.input('read', [DATE_SIZES.readLength]));
    const before = graph.input('before', [DATE_SIZES.writtenLength]);
    const encoder = bidirectional(
      (direction) => lstm(UNITS, { returnSequences: true, returnState: true, ...direction }),
      add(),
    );
    const [memory, h, c, hBack, cBack] = encoder(read, { mask }) as [Tensor, Tensor, Tensor, Tensor, Tensor];
    const initialState = [add()([h, hBack]), add()([c, cBack])];
    const written = embedding(DATE_SIZES.written + 1, UNITS)(before);
    const states = lstm(UNITS, { returnSequences: true, name: 'decoder' })(written, { initialState });
    const seen = multiHeadAttention(1)(states, { memory, mask });
    const hidden = dense(UNITS, { activation: 'tanh', name: 'hidden' })(add()([states, seen]));
    const logits = dense(DATE_SIZES.written, { name: 'logits' })(hidden);
    return graph.model(logits, sparseCategoricalCrossentropy({ target: 'written', fromLogits: true }));
  },
  data: async () => loadDates(),
  metrics: (predictor, { test }) => measureCharacters(predictor, test, DATES),
  optimizer: adam({ learningRate: 0.003 }),
  schedule: cosineDecay({ warmup: 100, floor: 0.01 }),
  batch: 64,
  leafSize: 8,
  epochs: 1,
  steps: 800,
  goal: { metric: 'exactMatch', atLeast: 0.98 },
};
