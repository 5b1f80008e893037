import { Graph, type Tensor } from '../../shared/graph/graph.js';
import {
  abs,
  affine,
  clip,
  exp,
  greater,
  log,
  maximum,
  mean,
  minimum,
  minus,
  over,
  plus,
  repeat,
  sqrt,
  square,
  sum,
  times,
  where,
} from '../../shared/graph/layers/arithmetic.js';
import { defineLoss, lossTerms } from '../../shared/graph/layers/composed-loss.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { binaryCrossentropy } from '../../shared/graph/losses/binary-crossentropy.js';
import { huber } from '../../shared/graph/losses/huber.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';
import type { Model } from '../../shared/graph/model.js';

/** Models whose losses are composed of ops. */
export const COMPOSED_MODELS = {
  /** Functions without bends. */
  smooth: (): Model =>
    composed((output, y) => {
      const positive = plus(exp(output), 0.5);
      return mean(plus(log(positive), over(sqrt(positive), plus(square(y), 1))));
    }),

  /** Functions with bends, far from each other, so that finite differences seldom cross one. */
  bent: (): Model =>
    composed((output, y) => {
      const far = affine(y, 8, -4);
      return mean(plus(abs(minus(output, far)), clip(minus(times(output, 2), far), -1.3, 2.2)));
    }),

  /** Choices, by conditions without a gradient. */
  chosen: (): Model =>
    composed((output, y) => {
      const far = affine(y, 8, -4);
      const chosen = where(minus(y, 0.4), maximum(output, far), minimum(output, over(far, -1.5)));
      return sum(times(square(chosen), greater(y, 0.2)));
    }),

  /** Sums and means along axes, and repeated values. */
  'reduced-axes': (): Model =>
    composed((output, y) => {
      const centred = minus(output, repeat(mean(output), 4, -1));
      const table = repeat(times(square(centred), y), 3, 0);
      return plus(sum(mean(table, 0), -1), mean(square(sum(table, 1))));
    }),

  /** Two outputs with a loss each, weights of both, and a weight of each sample. */
  'two-outputs': (): Model => {
    const x = new Graph().input('x', [4]);
    const hidden = dense(5, { activation: 'tanh' })(x);
    const kind = dense(3, { activation: 'softmax', name: 'kind' })(hidden);
    const size = dense(2, { name: 'size' })(hidden);
    const loss = defineLoss((_, field) => {
      const first = lossTerms(kind, sparseCategoricalCrossentropy({ target: 'y' }));
      const second = lossTerms(size, huber({ target: 'size-target', delta: 0.4 }));
      return times(plus(times(first, 0.7), times(second, 2)), field('weight'));
    });
    return x.graph.model(kind, loss);
  },

  /** One term for each position, of a sigmoid, with the input as the target. */
  'loss-terms': (): Model => {
    const x = new Graph().input('x', [2, 3]);
    const output = dense(3, { activation: 'sigmoid' })(dense(4, { activation: 'tanh' })(x));
    return x.graph.model(
      output,
      defineLoss(() => lossTerms(output, binaryCrossentropy({ target: 'x' }))),
    );
  },
} as const satisfies Readonly<Record<string, () => Model>>;

/** A dense layer of four outputs, and a loss of them and of the field y, [4]. */
function composed(loss: (output: Tensor, y: Tensor) => Tensor): Model {
  const x = new Graph().input('x', [3]);
  return x.graph.model(
    dense(4, { activation: 'tanh' })(x),
    defineLoss((output, field) => loss(output, field('y', [4]))),
  );
}
