import { describe, expect, it } from 'vitest';
import { UserError } from '../../shared/errors.js';
import { Graph } from '../../shared/graph/graph.js';
import { bidirectional } from '../../shared/graph/layers/bidirectional.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { add, concatenate, multiply } from '../../shared/graph/layers/merge.js';
import { gru, lstm } from '../../shared/graph/layers/recurrent.js';
import { flatten, permute, repeatVector, reshape, slice } from '../../shared/graph/layers/reshape.js';
import { sequential } from '../../shared/graph/layers/sequential.js';
import { categoricalCrossentropy } from '../../shared/graph/losses/categorical-crossentropy.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';

const digits = () => {
  const image = new Graph().input('image', [28, 28]);
  const layers = [flatten(), dense(10, { activation: 'relu' }), dense(10, { activation: 'softmax' })];
  return image.graph.model(sequential(layers)(image), sparseCategoricalCrossentropy({ target: 'label' }));
};

describe('a model', () => {
  it('has the names and shapes of Keras', () => {
    expect(digits().parameters).toEqual([
      { name: 'dense/bias', shape: [10], initializer: { kind: 'zeros' } },
      { name: 'dense/kernel', shape: [784, 10], initializer: { kind: 'glorotUniform' } },
      { name: 'dense_1/bias', shape: [10], initializer: { kind: 'zeros' } },
      { name: 'dense_1/kernel', shape: [10, 10], initializer: { kind: 'glorotUniform' } },
    ]);
    expect(digits().nodes.map(({ name, op }) => [name, op])).toEqual([
      ['flatten', 'reshape'],
      ['dense', 'dense'],
      ['dense/relu', 'relu'],
      ['dense_1', 'dense'],
      ['dense_1/softmax', 'softmax'],
    ]);
  });

  it('is trained from the logits when it ends in a softmax, and outputs probabilities', () => {
    const { output, loss } = digits();
    expect(output).toBe('dense_1/softmax');
    expect(loss).toMatchObject({ prediction: 'dense_1', attributes: { fromLogits: true } });
  });

  it('keeps only what the output needs', () => {
    const x = new Graph().input('x', [3]);
    x.graph.input('unused', [7]);
    dense(5)(x);
    const model = x.graph.model(dense(2, { name: 'kept' })(x), meanSquaredError({ target: 'y' }));
    expect(model.inputs.map(({ name }) => name)).toEqual(['x']);
    expect(model.parameters.map(({ name }) => name)).toEqual(['kept/bias', 'kept/kernel']);
  });

  it('has one set of parameters for a layer that is used twice', () => {
    const x = new Graph().input('x', [3]);
    const layer = dense(3, { activation: 'tanh' });
    const model = x.graph.model(layer(layer(x)), meanSquaredError({ target: 'y' }));
    expect(model.parameters.map(({ name }) => name)).toEqual(['dense/bias', 'dense/kernel']);
    expect(model.nodes.map(({ name }) => name)).toEqual(['dense', 'dense/tanh', 'dense:2', 'dense/tanh:2']);
  });

  it('can be built again from the same layers', () => {
    const layer = dense(3);
    const build = () => {
      const x = new Graph().input('x', [3]);
      return x.graph.model(layer(x), meanSquaredError({ target: 'y' }));
    };
    expect(build()).toEqual(build());
  });
});

describe('mistakes are reported where they are made, with names and shapes', () => {
  const input = (shape: number[]) => new Graph().input('x', shape);
  const mistakes: Record<string, [() => unknown, RegExp]> = {
    'a reshape to another number of elements': [
      () => reshape([5, 2], { name: 'grid' })(input([9])),
      /layer grid: .*\[9\].*\[5, 2\]/,
    ],
    'a sum of two shapes': [
      () => {
        const x = input([4]);
        return add()([x, dense(3)(x)]);
      },
      /layer add: .*\[4\] and \[3\]/,
    ],
    'a shared layer on another shape': [
      () => {
        const layer = dense(3);
        return layer(layer(input([4])));
      },
      /layer dense:2: its kernel has shape \[4, 3\], but an input of shape \[3\] needs \[3, 3\]/,
    ],
    'a dense layer on a single number': [() => dense(3)(input([])), /layer dense: .*shape \[\]/],
    'no units': [() => dense(0)(input([4])), /layer dense: units/],
    'half a unit': [() => dense(1.5)(input([4])), /layer dense: units/],
    'too many units': [
      () => dense(2 ** 20)(input([2 ** 20])),
      /parameter dense\/kernel: shape \[1048576, 1048576\] exceeds/,
    ],
    'a duplicate name': [() => dense(2, { name: 'x' })(input([4])), /name x is taken/],
    'an invalid name': [
      () => dense(2, { name: 'no name' })(input([4])),
      /"no name" is not a valid name: a name starts with/,
    ],
    'tensors of two graphs': [() => add()([input([4]), input([4])]), /layer add: x belongs to another graph/],
    'a product of three': [
      () => {
        const x = input([4]);
        return multiply()([x, x, x]);
      },
      /layer multiply: multiply takes 2 inputs, not 3/,
    ],
    'shapes that cannot be concatenated': [
      () => {
        const x = input([4, 3]);
        return concatenate({ axis: 0 })([x, dense(2)(x)]);
      },
      /layer concatenate: inputs of shapes \[4, 3\] and \[4, 2\] .*axis 0/,
    ],
    'an axis that does not exist': [
      () => {
        const x = input([4]);
        return concatenate({ axis: 1 })([x, x]);
      },
      /layer concatenate: inputs of shape \[4\] have no axis 1/,
    ],
    'a permutation without one of the axes': [
      () => permute([1, 1])(input([4, 3])),
      /layer permute: \[1, 1\] is not a permutation of the axes of \[4, 3\]; use each of 1 to 2 once/,
    ],
    'a permutation that counts from 0': [() => permute([0, 1])(input([4, 3])), /layer permute: dims\.0/],
    'more groups of axes than one layer can permute': [
      () => permute([5, 4, 3, 2, 1])(input([2, 2, 2, 2, 2])),
      /layer permute: .*more than 4 groups; use two permute layers/,
    ],
    'a slice beyond the axis': [
      () => slice(1, 5)(input([4, 3])),
      /layer slice: 1 to 5 is not a range of axis 0 of shape \[4, 3\]/,
    ],
    'a mask of another length': [
      () => {
        const x = input([4, 3]);
        return lstm(2)(x, { mask: x.graph.input('mask', [5]) });
      },
      /layer lstm: its mask and initial state have shapes \[5\]; they must have \[4\]/,
    ],
    'half of an initial state': [
      () => {
        const x = input([4, 3]);
        return lstm(2)(x, { initialState: [x.graph.input('h', [2])] });
      },
      /layer lstm: its mask and initial state have shapes \[2\]; they must have \[2\] and \[2\]/,
    ],
    'an initial state of one direction': [
      () => {
        const x = input([4, 3]);
        const both = bidirectional((direction) => gru(2, direction), add());
        return both(x, { initialState: [x.graph.input('h', [2])] });
      },
      /as many initial states for each direction/,
    ],
    'a vector repeated 0 times': [() => repeatVector(0)(input([4])), /layer repeatVector: times/],
    'nothing to add': [() => add()([]), /layer add: it has no inputs/],
    'a softmax where logits are expected': [
      () => {
        const x = input([4]);
        const output = dense(3, { activation: 'softmax' })(x);
        return x.graph.model(output, categoricalCrossentropy({ target: 'y', fromLogits: true }));
      },
      /expects logits, but dense\/softmax is a softmax/,
    ],
    'classes of a single number': [
      () => {
        const x = input([]);
        return x.graph.model(x, sparseCategoricalCrossentropy({ target: 'y' }));
      },
      /one probability for each class/,
    ],
    'ignored labels without logits': [
      () => {
        const x = input([4]);
        return x.graph.model(x, sparseCategoricalCrossentropy({ target: 'y', ignoreIndex: -1 }));
      },
      /ignoreIndex needs logits/,
    ],
    'a label smoothing of 1': [
      () => {
        const x = input([4]);
        return x.graph.model(x, sparseCategoricalCrossentropy({ target: 'y', labelSmoothing: 1 }));
      },
      /the loss: labelSmoothing: /,
    ],
  };

  it.each(Object.entries(mistakes))('%s', (_, [make, message]) => {
    expect(make).toThrow(UserError);
    expect(make).toThrow(message);
  });
});
