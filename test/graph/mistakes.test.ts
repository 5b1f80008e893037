import { describe, expect, it } from 'vitest';
import { Graph, type Layer, type Tensor } from '../../shared/graph/graph.js';
import { activation } from '../../shared/graph/layers/activation.js';
import { conv2d } from '../../shared/graph/layers/conv2d.js';
import { conv3d } from '../../shared/graph/layers/conv3d.js';
import { defineLayer } from '../../shared/graph/layers/define-layer.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { add, concatenate, multiply } from '../../shared/graph/layers/merge.js';
import { multiHeadAttention } from '../../shared/graph/layers/multi-head-attention.js';
import { maxPooling2d } from '../../shared/graph/layers/pooling.js';
import { lstm } from '../../shared/graph/layers/recurrent.js';
import { flatten, reshape } from '../../shared/graph/layers/reshape.js';
import { sequential } from '../../shared/graph/layers/sequential.js';
import { binaryCrossentropy } from '../../shared/graph/losses/binary-crossentropy.js';
import { categoricalCrossentropy } from '../../shared/graph/losses/categorical-crossentropy.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';

/* Mistakes in building a network: each is reported where it is made, with the name of the layer, the shapes and the remedy. */

const image = (): Tensor => new Graph().input('x', [8, 8]);
const loss = sparseCategoricalCrossentropy({ target: 'y' });
/** A value of the wrong type, which TypeScript would refuse. */
const wrong = <T>(value: unknown): T => value as T;

describe('mistakes in networks are reported when they are built', () => {
  it.each<[string, () => unknown, string]>([
    [
      'no channels',
      () => conv2d(4, 3)(image()),
      'layer conv2d: an input of shape [8, 8] is not an image [height, width, channels]; reshape it',
    ],
    [
      'a window too large',
      () => maxPooling2d({ poolSize: 9 })(reshape([8, 8, 1])(image())),
      'layer maxPooling2d: its window of 9 x 9 does not fit an image of 8 x 8',
    ],
    [
      'a convolution of volumes on an image',
      () => conv3d(4, 3)(image()),
      'layer conv3d: an input of shape [8, 8] is not a volume [depth, height, width, channels]; reshape it',
    ],
    [
      'groups of a convolution of volumes that do not divide its filters',
      () => conv3d(4, 1, { groups: 3 })(reshape([4, 2, 2, 3])(new Graph().input('x', [48]))),
      'layer conv3d: 3 channels and 4 filters cannot both be split into 3 groups',
    ],
    [
      'a window that is deeper than its volume',
      () => conv3d(4, [5, 1, 1], { dilation: [2, 1, 1] })(reshape([8, 2, 2, 2])(image())),
      'layer conv3d: its window of depth 9 does not fit a volume of depth 8',
    ],
    [
      'unequal shapes',
      () => {
        const x = image();
        return add()([dense(3)(x), dense(4)(x)]);
      },
      'layer add: inputs of shapes [8, 3] and [8, 4] do not match; reshape them to the same shape first',
    ],
    [
      'unequal shapes to concatenate',
      () => {
        const x = image();
        return concatenate()([x, flatten()(x)]);
      },
      'layer concatenate: inputs of shapes [8, 8] and [64] cannot be concatenated along axis 1',
    ],
    [
      'another number of elements',
      () => reshape([8, 9])(image()),
      'layer reshape: an input of shape [8, 8] (64 elements) cannot be reshaped to [8, 9] (72)',
    ],
    [
      'no sequence',
      () => lstm(4)(flatten()(image())),
      'layer lstm: needs a sequence [steps, features], but the input has shape [64]; reshape it',
    ],
    [
      'heads that do not fit',
      () => multiHeadAttention(3)(image()),
      'a width of 8 cannot be divided among 3 heads',
    ],
    [
      'a layer for two shapes',
      () => {
        const [x, layer] = [image(), dense(8)];
        layer(x);
        return layer(flatten()(x));
      },
      'its kernel has shape [8, 8], but an input of shape [64] needs [64, 8]',
    ],
    ['no units', () => dense(0)(image()), 'layer dense: units: Invalid value: Expected >=1 but received 0'],
    [
      'no list',
      () => add()(wrong(image())),
      'layer add: it has no inputs; pass a list of tensors: add()([a, b])',
    ],
    ['a list of one', () => multiply()([image()]), 'layer multiply: multiply takes 2 inputs, not 1'],
    [
      'a layer function that was not called',
      () => sequential([dense(3), wrong<Layer>(flatten)])(image()),
      'layer 2 of sequential([...]) is not a layer; call a function that creates one, such as flatten()',
    ],
    [
      'a layer function of the user that was not called',
      () => sequential([wrong<Layer>(defineLayer('gated', (x) => x))])(image()),
      'gated() creates a layer and was given a tensor; call it first: gated()(x), and gated() in a list of layers',
    ],
    [
      'a layer function of the package that was not called',
      () =>
        sequential([wrong<Layer>(Object.defineProperty(() => undefined, 'name', { value: 'flatten$1' }))])(
          image(),
        ),
      'such as flatten()',
    ],
    [
      'the loss before the output',
      () => {
        const graph = new Graph();
        return graph.model(wrong(loss), wrong(dense(1)(graph.input('x', [2]))));
      },
      'the loss is a tensor; write graph.model(output, loss), the output first',
    ],
    [
      'no layer at all',
      () => sequential([wrong<Layer>(undefined)])(image()),
      'layer 1 of sequential([...]) is not a layer',
    ],
    [
      'an unknown activation',
      () => dense(4, { activation: wrong('rellu') })(image()),
      'layer dense: unknown activation "rellu"; use one of gelu, linear, logSoftmax, relu',
    ],
    [
      'another unknown activation',
      () => activation(wrong('swish'))(image()),
      'layer activation: unknown activation "swish"',
    ],
    [
      'two graphs',
      () => new Graph().model(image(), loss),
      "the model's output is x of another graph; use the inputs and layers of one graph",
    ],
    ['no output', () => new Graph().model(wrong(undefined), loss), "the model's output is not a tensor"],
    [
      'logits for probabilities',
      () => {
        const y = dense(4)(image());
        return y.graph.model(y, loss);
      },
      "the loss expects probabilities, but the output of dense (dense) is unbounded; end the model with activation: 'softmax', or set fromLogits: true for the loss",
    ],
    [
      'an activation for probabilities',
      () => {
        const y = dense(4, { activation: 'relu' })(image());
        return y.graph.model(y, categoricalCrossentropy({ target: 'y' }));
      },
      'the loss expects probabilities, but the output of dense/relu (relu) is unbounded',
    ],
    [
      'probabilities for logits',
      () => {
        const y = dense(4, { activation: 'softmax' })(image());
        return y.graph.model(y, sparseCategoricalCrossentropy({ target: 'y', fromLogits: true }));
      },
      'the loss expects logits, but dense/softmax is a softmax; drop fromLogits or the softmax',
    ],
  ])('%s', (_, build, line) => {
    let thrown: unknown;
    try {
      build();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ name: 'UserError', message: expect.stringContaining(line) });
  });
});

describe('a sigmoid at the end', () => {
  it('with binary cross-entropy gives the loss logits, and the model outputs probabilities', () => {
    const y = dense(1, { activation: 'sigmoid' })(flatten()(image()));
    const model = y.graph.model(y, binaryCrossentropy({ target: 'y' }));
    expect([model.loss.prediction, model.output]).toEqual(['dense', 'dense/sigmoid']);
  });

  it('with other losses is the prediction itself', () => {
    const y = dense(1, { activation: 'sigmoid' })(flatten()(image()));
    expect(y.graph.model(y, meanSquaredError({ target: 'y' })).loss.prediction).toBe('dense/sigmoid');
  });
});
