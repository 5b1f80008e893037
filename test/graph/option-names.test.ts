import { describe, expect, it } from 'vitest';
import { Graph } from '../../shared/graph/graph.js';
import { conv2d } from '../../shared/graph/layers/conv2d.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { lstm } from '../../shared/graph/layers/recurrent.js';
import { transformerBlock } from '../../shared/graph/layers/transformer.js';
import { huber } from '../../shared/graph/losses/huber.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';
import { adam } from '../../shared/optim/adam.js';
import { createSchedule } from '../../shared/optim/schedule.js';
import { createOptimizer } from '../../shared/optim/settings.js';

/** Whatever a user's file may contain: JavaScript has no types. */
const anything = (options: object): never => options as never;

describe('an option that nobody knows', () => {
  it.each<[string, () => unknown, string]>([
    ['a layer', () => dense(8, anything({ regularizer: 'none' })), 'dense() has no option "regularizer"'],
    [
      'as Keras spells it in Python',
      () => dense(8, anything({ use_bias: false })),
      'dense() has no option "use_bias"; did you mean useBias?',
    ],
    [
      'a convolution',
      () => conv2d(8, 3, anything({ stride: 2 })),
      'conv2d() has no option "stride"; did you mean strides?',
    ],
    [
      'a recurrent layer',
      () => lstm(8, anything({ returnSequence: true })),
      'lstm() has no option "returnSequence"; did you mean returnSequences?',
    ],
    [
      'a block',
      () => transformerBlock(2, 8, anything({ dropOut: 0.1 })),
      'transformerBlock() has no option "dropOut"; did you mean dropout?',
    ],
    [
      'an optimizer',
      () => createOptimizer(adam(anything({ beta_1: 0.9 }))),
      'not a valid optimizer: unknown key "beta_1"; did you mean beta1?',
    ],
    [
      'a schedule',
      () => createSchedule(anything({ name: 'cosine', warmup: 1, flor: 0 }), 9),
      'not a valid schedule: ',
    ],
  ])('is refused: %s', (_what, make, message) => {
    expect(make).toThrow(message);
  });

  it.each<[string, () => object, string]>([
    [
      'labelSmooth',
      () => sparseCategoricalCrossentropy(anything({ target: 'y', labelSmooth: 0.1 })),
      'sparseCategoricalCrossentropy() has no option "labelSmooth"; did you mean labelSmoothing?',
    ],
    [
      'deltas',
      () => huber(anything({ target: 'y', deltas: 2 })),
      'huber() has no option "deltas"; did you mean delta?',
    ],
  ])('is refused in a loss: %s', (_what, loss, message) => {
    const graph = new Graph();
    const build = () => graph.model(dense(3)(graph.input('x', [2])), anything(loss()));
    expect(build).toThrow(message);
  });
});
