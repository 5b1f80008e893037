import { Graph, type Layer } from '../../shared/graph/graph.js';
import { activation } from '../../shared/graph/layers/activation.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { add, multiply } from '../../shared/graph/layers/merge.js';
import { flatten, reshape } from '../../shared/graph/layers/reshape.js';
import { sequential } from '../../shared/graph/layers/sequential.js';
import { categoricalCrossentropy } from '../../shared/graph/losses/categorical-crossentropy.js';
import type { LossSettings } from '../../shared/graph/losses/loss.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';
import type { Model } from '../../shared/graph/model.js';
import type { Shape } from '../../shared/graph/shape.js';

/** Small models that between them use every op, every loss and every turn that backprop can take. Fields: x and y. */
export const MODELS = {
  /** dense + relu, dense + softmax, class numbers. */
  classifier: (): Model =>
    chain(
      [5],
      [dense(7, { activation: 'relu' }), dense(4, { activation: 'softmax' })],
      sparseCategoricalCrossentropy({ target: 'y' }),
    ),

  /** Targets are probabilities. */
  'soft-targets': (): Model =>
    chain(
      [4],
      [dense(6, { activation: 'tanh' }), dense(3, { activation: 'softmax' })],
      categoricalCrossentropy({ target: 'y' }),
    ),

  regression: (): Model =>
    chain(
      [3],
      [dense(5, { activation: 'tanh' }), dense(4, { activation: 'sigmoid' }), dense(2)],
      meanSquaredError({ target: 'y' }),
    ),

  /** A layer used twice, a value with three readers, a sum and a gate. */
  residual: (): Model => {
    const x = new Graph().input('x', [4]);
    const shared = dense(4, { activation: 'tanh', name: 'shared' });
    const once = shared(x);
    const twice = shared(once);
    const gate = dense(4, { activation: 'sigmoid', name: 'gate' })(once);
    const output = multiply()([add()([once, twice, x]), gate]);
    return x.graph.model(output, meanSquaredError({ target: 'y' }));
  },

  /** Samples of three positions with a class each. */
  sequence: (): Model =>
    chain(
      [3, 5],
      [dense(6, { activation: 'relu' }), dense(4)],
      sparseCategoricalCrossentropy({ target: 'y', fromLogits: true }),
    ),

  /** Probabilities that are not a softmax's output. */
  probabilities: (): Model => {
    const x = new Graph().input('x', [3]);
    const branch = (): Layer => dense(4, { activation: 'softmax' });
    const output = multiply()([branch()(x), branch()(x)]);
    return x.graph.model(output, sparseCategoricalCrossentropy({ target: 'y' }));
  },

  /** The same with targets that are probabilities, behind a softmax that a view hides; no bias; views everywhere. */
  views: (): Model =>
    chain(
      [2, 2, 2],
      [
        flatten(),
        dense(6, { useBias: false, kernelInitializer: 'heNormal' }),
        reshape([2, 3]),
        activation('relu'),
        flatten(),
        dense(4, { activation: 'softmax' }),
        reshape([4]),
      ],
      categoricalCrossentropy({ target: 'y' }),
    ),

  /** A relu that cannot join the product before it, because somebody else reads that too; a value used twice at once. */
  forks: (): Model => {
    const x = new Graph().input('x', [3]);
    const z = dense(4)(x);
    const joined = add()([activation('relu')(z), activation('sigmoid')(z), z]);
    const output = dense(2)(multiply()([joined, joined]));
    return x.graph.model(output, meanSquaredError({ target: 'y' }));
  },
} as const satisfies Readonly<Record<string, () => Model>>;

export type ModelName = keyof typeof MODELS;

function chain(shape: Shape, layers: readonly Layer[], loss: LossSettings): Model {
  const x = new Graph().input('x', shape);
  return x.graph.model(sequential(layers)(x), loss);
}
