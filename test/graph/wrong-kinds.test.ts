/*
 * Values of the wrong kind where TypeScript's types are not checked: one line that names the remedy, never a TypeError, and never
 * silence.
 */
import { describe, expect, it } from 'vitest';
import { packSamples } from '../../shared/data/samples.js';
import { Graph } from '../../shared/graph/graph.js';
import { randomFlip } from '../../shared/graph/layers/augmentation.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { maxPooling2d } from '../../shared/graph/layers/pooling.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';
import { adam } from '../../shared/optim/adam.js';
import { earlyStopping } from '../../shared/optim/early-stopping.js';
import { cosineDecay } from '../../shared/optim/schedule.js';
import { sgd } from '../../shared/optim/sgd.js';

// biome-ignore lint/suspicious/noExplicitAny: values of all kinds, as JavaScript allows
const any = (value: unknown): any => value;

describe('options that are no object', () => {
  it.each<[string, () => unknown, string]>([
    [
      'a learning rate',
      () => adam(any(0.1)),
      'adam() takes options in an object, not 0.1; write adam({ name: value })',
    ],
    ['a text', () => sgd(any('0.1')), 'sgd() takes options in an object, not "0.1"'],
    ['nothing', () => cosineDecay(any(null)), 'cosineDecay() takes options in an object, not null'],
    ['a list', () => earlyStopping(any([3])), 'earlyStopping() takes options in an object'],
    [
      'the name of an activation',
      () => dense(3, any('relu')),
      'dense() takes options in an object, not "relu"',
    ],
    ['null', () => dense(3, any(null)), 'dense() takes options in an object, not null'],
    ['a size', () => maxPooling2d(any(2)), 'maxPooling2d() takes options in an object, not 2'],
    ['none where one is needed', () => meanSquaredError(any(undefined)), 'not undefined'],
    [
      'the name of a field',
      () => meanSquaredError(any('y')),
      'meanSquaredError() takes options in an object, not "y"',
    ],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(message);
  });
});

describe('a loss', () => {
  const modelWith = (loss: unknown) => {
    const graph = new Graph();
    return graph.model(dense(1)(graph.input('x', [2])), any(loss));
  };

  it.each<[string, unknown, string]>([
    ['a name', 'mse', 'the loss is mse; call a function that makes one, such as meanSquaredError'],
    ['missing', undefined, 'the loss is undefined; call a function that makes one'],
    ['not called', meanSquaredError, 'the loss is the function meanSquaredError, which was not called'],
  ])('that is %s', (_, loss, message) => {
    expect(() => modelWith(loss)).toThrow(message);
  });

  it('of outputs in a list', () => {
    const graph = new Graph();
    const output = dense(1)(graph.input('x', [2]));
    expect(() => graph.model(any([output]), any([meanSquaredError({ target: 'y' })]))).toThrow(
      'the outputs are a list; give them names',
    );
  });

  it.each<[string, unknown, string]>([
    ['no list', { 0: 1, 1: 10 }, 'classWeights is not a list'],
    ['all 0', [0, 0], 'are all 0, so nothing is learned'],
  ])('with class weights that are %s', (_, classWeights, message) => {
    expect(() => {
      const graph = new Graph();
      const output = dense(2, { activation: 'softmax' })(graph.input('x', [2]));
      return graph.model(
        output,
        sparseCategoricalCrossentropy({ target: 'y', classWeights: any(classWeights) }),
      );
    }).toThrow(message);
  });
});

it.each([[28], ['2'], [undefined]])('the shape %s of an input is refused', (shape) => {
  expect(() => new Graph().input('x', any(shape))).toThrow(/the shape of the input x is .*, not a list/);
});

it('an unknown way to flip is refused', () => {
  expect(() => randomFlip(any('horizontl'))).toThrow(
    'randomFlip() has no mode "horizontl"; did you mean horizontal?',
  );
});

describe('samples', () => {
  it.each<[string, object, string]>([
    ['nothing', { shape: [1], values: [1, undefined] }, 'x of sample 1 is not made of numbers'],
    ['null', { shape: [1], values: [null, 1] }, 'x of sample 0 is not made of numbers'],
    ['texts', { shape: [1], values: ['1', '2'] }, 'x of sample 0 is not made of numbers'],
    ['lists of texts', { shape: [1], values: [['1'], ['2']] }, 'x of sample 0 is not made of numbers'],
    [
      'lists of lists',
      { shape: [1, 1], values: [[[1]]] },
      'x of sample 0 is a list of lists; give its numbers one',
    ],
    ['yes or no', { shape: [], values: [true, false] }, 'x of sample 0 is not made of numbers'],
    ['large integers', { shape: [], values: [1n] }, 'x of sample 0 is not made of numbers'],
    ['holes', { shape: [2], values: [new Array(2)] }, 'x of sample 0 is not made of numbers'],
    ['a shape that is a text', { shape: '2', values: [1] }, 'x has the shape "2"'],
    ['a shape of 0', { shape: [0], values: [[]] }, 'x has the shape [0]'],
    ['bytes', { shape: [], values: [1], dtype: 'u8' }, 'x has the dtype "u8"; use \'f32\''],
  ])('of %s are refused', (_, field, message) => {
    expect(() => packSamples('d', { x: any(field) })).toThrow(message);
  });
});
