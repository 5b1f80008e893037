import { Graph, type Layer } from '../../shared/graph/graph.js';
import { bidirectional } from '../../shared/graph/layers/bidirectional.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { add } from '../../shared/graph/layers/merge.js';
import { gru, lstm, type RecurrentOptions, simpleRnn } from '../../shared/graph/layers/recurrent.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';
import type { Model } from '../../shared/graph/model.js';

/** Models with recurrent layers. */
export const RECURRENT_MODELS = {
  lstm: () => stack(lstm),
  gru: () => stack(gru),

  /** Both directions, and a layer that is used twice. */
  'simple-rnn': (): Model => {
    const x = new Graph().input('x', [4, 3]);
    const both = bidirectional(
      ({ reverse }) => simpleRnn(4, { returnSequences: true, reverse, name: reverse ? 'back' : 'there' }),
      add(),
    );
    const twice = simpleRnn(4, { returnSequences: true, name: 'twice' });
    const output = dense(2)(twice(twice(both(x))));
    return x.graph.model(output, meanSquaredError({ target: 'y' }));
  },

  /** From the end, of both gated kinds. */
  reverse: (): Model => {
    const x = new Graph().input('x', [3, 2]);
    const last = [lstm(3, { reverse: true }), gru(3, { reverse: true })].map((layer) => layer(x));
    return x.graph.model(dense(2)(add()(last)), meanSquaredError({ target: 'y' }));
  },
} as const satisfies Readonly<Record<string, () => Model>>;

/** A sequence's last word, over a layer that speaks at every step. */
function stack(layer: (units: number, options?: RecurrentOptions) => Layer): Model {
  const x = new Graph().input('x', [4, 3]);
  const output = dense(3)(layer(4)(layer(5, { returnSequences: true })(x)));
  return x.graph.model(output, sparseCategoricalCrossentropy({ target: 'y', fromLogits: true }));
}
