import { Graph } from '../../shared/graph/graph.js';
import { log, minus, plus, square } from '../../shared/graph/layers/arithmetic.js';
import { defineLoss } from '../../shared/graph/layers/composed-loss.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { flatten } from '../../shared/graph/layers/reshape.js';
import { binaryCrossentropy } from '../../shared/graph/losses/binary-crossentropy.js';
import { categoricalCrossentropy } from '../../shared/graph/losses/categorical-crossentropy.js';
import type { LossSettings } from '../../shared/graph/losses/loss.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';
import type { Model } from '../../shared/graph/model.js';

const sampleWeight = 'weight';

/** Losses with weights of samples and classes. */
export const WEIGHTED_MODELS = {
  'weighted-samples': (): Model => weighted(2, [4], meanSquaredError({ target: 'y', sampleWeight })),

  /** A term for each position. */
  'weighted-numbers': (): Model =>
    weighted(
      3,
      [2, 4],
      sparseCategoricalCrossentropy({
        ...{ target: 'y', fromLogits: true, labelSmoothing: 0.1, sampleWeight },
        classWeights: [0.5, 2, 1.25],
      }),
    ),

  'weighted-shares': (): Model =>
    weighted(3, [4], categoricalCrossentropy({ target: 'y', fromLogits: true, classWeights: [3, 0, 0.7] })),

  'weighted-yes': (): Model =>
    weighted(1, [4], binaryCrossentropy({ target: 'y', sampleWeight, classWeights: [0.3, 1.7] })),

  /** A loss for each of two outputs, the first with a term for each position. */
  'named-outputs': (): Model => {
    const x = new Graph().input('x', [2, 4]);
    const hidden = dense(3, { activation: 'tanh' })(x);
    return x.graph.model(
      { kinds: dense(3, { activation: 'softmax' })(hidden), size: dense(2)(flatten()(hidden)) },
      {
        kinds: { loss: categoricalCrossentropy({ target: 'kinds-target', sampleWeight }), weight: 0.7 },
        size: meanSquaredError({ target: 'size-target' }),
      },
    );
  },

  /** The same with a loss of its own, of two terms. */
  'named-own-loss': (): Model => {
    const x = new Graph().input('x', [4]);
    const hidden = dense(3, { activation: 'tanh' })(x);
    const own = defineLoss((output, field) => {
      const error = minus(output, field('size-target', [2]));
      return log(plus(square(error), 1));
    });
    return x.graph.model(
      { kind: dense(3, { activation: 'softmax' })(hidden), size: dense(2)(hidden) },
      {
        kind: categoricalCrossentropy({ target: 'kinds-target' }),
        size: { loss: own, weight: 0.7 },
      },
    );
  },
} as const satisfies Readonly<Record<string, () => Model>>;

function weighted(units: number, shape: readonly number[], loss: LossSettings): Model {
  const x = new Graph().input('x', shape);
  return x.graph.model(dense(units)(dense(5, { activation: 'tanh' })(x)), loss);
}
