import { Graph } from '../../shared/graph/graph.js';
import { activation } from '../../shared/graph/layers/activation.js';
import { batchNormalization } from '../../shared/graph/layers/batch-normalization.js';
import { conv2d } from '../../shared/graph/layers/conv2d.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { averagePooling2d } from '../../shared/graph/layers/pooling.js';
import { flatten } from '../../shared/graph/layers/reshape.js';
import { sequential } from '../../shared/graph/layers/sequential.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';
import type { Model } from '../../shared/graph/model.js';

/** Models that normalise groups of twelve or six samples in training, and use moving averages in evaluation. */
export const BATCH_NORMALIZATION_MODELS = {
  /** Features of dense layers, and the input of the model, in groups of different sizes. */
  'batch-norm': (): Model => {
    const x = new Graph().input('x', [4]);
    const network = sequential([
      batchNormalization({ virtualBatchSize: 12, name: 'input' }),
      dense(5, { useBias: false }),
      batchNormalization({ virtualBatchSize: 6, momentum: 0.5, name: 'hidden' }),
      activation('tanh'),
      dense(3),
    ]);
    return x.graph.model(network(x), sparseCategoricalCrossentropy({ target: 'y', fromLogits: true }));
  },

  /** Channels of images. */
  'batch-norm-images': (): Model => {
    const x = new Graph().input('x', [4, 6, 2]);
    const network = sequential([
      conv2d(5, 3, { padding: 'same', useBias: false }),
      batchNormalization({ virtualBatchSize: 12, epsilon: 1e-5 }),
      activation('tanh'),
      averagePooling2d(),
      flatten(),
      dense(2),
    ]);
    return x.graph.model(network(x), meanSquaredError({ target: 'y' }));
  },
} as const satisfies Readonly<Record<string, () => Model>>;
