import { Graph } from '../../shared/graph/graph.js';
import { batchNormalization } from '../../shared/graph/layers/batch-normalization.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { learning } from '../../shared/graph/layers/learning.js';
import { lstm } from '../../shared/graph/layers/recurrent.js';
import { sequential } from '../../shared/graph/layers/sequential.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import type { Model } from '../../shared/graph/model.js';

const FROZEN = { trainable: false };

/** Models with frozen layers, and with layers that learn at another rate. */
export const LEARNING_MODELS = {
  /** Error terms go through frozen layers to a trained one before them. */
  frozen: (): Model => {
    const x = new Graph().input('x', [4]);
    const network = sequential([
      dense(5, { activation: 'tanh', name: 'first' }),
      learning(
        sequential([batchNormalization({ name: 'norm' }), dense(4, { activation: 'tanh', name: 'mid' })]),
        FROZEN,
      ),
      learning(dense(2, { name: 'last' }), { rate: 0.25, decay: 0 }),
    ]);
    return x.graph.model(network(x), meanSquaredError({ target: 'y' }));
  },

  /** Nothing before the last layer is trained, so no error term is computed there. */
  'frozen-trunk': (): Model => {
    const x = new Graph().input('x', [3, 4]);
    const network = sequential([learning(lstm(5), FROZEN), dense(2)]);
    return x.graph.model(network(x), meanSquaredError({ target: 'y' }));
  },
} as const satisfies Readonly<Record<string, () => Model>>;
