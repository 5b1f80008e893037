import { Graph } from '../../shared/graph/graph.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { multiply } from '../../shared/graph/layers/merge.js';
import { sequential } from '../../shared/graph/layers/sequential.js';
import { binaryCrossentropy } from '../../shared/graph/losses/binary-crossentropy.js';
import { categoricalCrossentropy } from '../../shared/graph/losses/categorical-crossentropy.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';
import type { Model } from '../../shared/graph/model.js';

/** Small models whose labels are smoothed, or do not all count. Fields: x and y. */
export const SMOOTHING_MODELS = {
  'smoothed-ignored': (): Model => {
    const x = new Graph().input('x', [3, 4]);
    const logits = sequential([dense(6, { activation: 'tanh' }), dense(4)])(x);
    const settings = { fromLogits: true, labelSmoothing: 0.1, ignoreIndex: 2 };
    return x.graph.model(logits, sparseCategoricalCrossentropy({ target: 'y', ...settings }));
  },

  'smoothed-soft': (): Model => {
    const x = new Graph().input('x', [4]);
    const p = sequential([dense(6, { activation: 'tanh' }), dense(3, { activation: 'softmax' })])(x);
    return x.graph.model(p, categoricalCrossentropy({ target: 'y', labelSmoothing: 0.2 }));
  },

  /** Probabilities that are not a softmax's output. */
  'smoothed-probabilities': (): Model => {
    const x = new Graph().input('x', [3]);
    const p = multiply()([dense(4, { activation: 'softmax' })(x), dense(4, { activation: 'softmax' })(x)]);
    return x.graph.model(p, sparseCategoricalCrossentropy({ target: 'y', labelSmoothing: 0.3 }));
  },

  'smoothed-binary': (): Model => {
    const x = new Graph().input('x', [3]);
    const logits = sequential([dense(5, { activation: 'tanh' }), dense(4)])(x);
    return x.graph.model(logits, binaryCrossentropy({ target: 'y', labelSmoothing: 0.2 }));
  },
} as const;
