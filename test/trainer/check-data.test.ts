import { describe, expect, it } from 'vitest';
import { createPlan } from '../../shared/compiler/plan.js';
import { packSamples } from '../../shared/data/samples.js';
import { Graph } from '../../shared/graph/graph.js';
import { batchNormalization } from '../../shared/graph/layers/batch-normalization.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { embedding } from '../../shared/graph/layers/embedding.js';
import { flatten } from '../../shared/graph/layers/reshape.js';
import { binaryCrossentropy } from '../../shared/graph/losses/binary-crossentropy.js';
import { ctc } from '../../shared/graph/losses/ctc.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';
import { checkData } from '../../trainer/check-data.js';

/** Four samples with two features, a class and a target. */
function dataOf({ x = 1, kind = 2, y = 0 }) {
  return packSamples('four', {
    x: {
      shape: [2],
      values: [
        [0, 1],
        [2, 3],
        [4, x],
        [6, 7],
      ],
    },
    kind: { shape: [], dtype: 'i32', values: [0, 1, 0, kind] },
    y: { shape: [1], values: [[0], [0], [y], [0]] },
  });
}

function classifier(classes: number, options: { ignoreIndex?: number } = {}) {
  const graph = new Graph();
  const logits = dense(classes, { name: 'kinds' })(graph.input('x', [2]));
  return createPlan(
    graph.model(logits, sparseCategoricalCrossentropy({ target: 'kind', fromLogits: true, ...options })),
  );
}

function regression() {
  const graph = new Graph();
  return createPlan(graph.model(dense(1)(graph.input('x', [2])), meanSquaredError({ target: 'y' })));
}

describe('checkData', () => {
  it('refuses shapes that differ from those of the network', () => {
    const graph = new Graph();
    const plan = createPlan(graph.model(dense(1)(graph.input('x', [3])), meanSquaredError({ target: 'y' })));
    expect(() => checkData(plan, dataOf({}))).toThrow('field x: the data has shape [2], the model needs [3]');
  });

  it('refuses classes that the network does not have', () => {
    expect(() => checkData(classifier(3), dataOf({}))).not.toThrow();
    expect(() => checkData(classifier(2), dataOf({}))).toThrow(
      'data set four: kind of sample 3 is 2, and the output kinds has 2 classes, 0 to 1; give the last layer more units',
    );
    expect(() => checkData(classifier(3), dataOf({ kind: -1 }))).toThrow('kind of sample 3 is -1');
    expect(() => checkData(classifier(3, { ignoreIndex: -1 }), dataOf({ kind: -1 }))).not.toThrow();
  });

  it('refuses values that are not finite', () => {
    expect(() => checkData(regression(), dataOf({}))).not.toThrow();
    expect(() => checkData(regression(), dataOf({ x: Number.NaN }))).toThrow(
      'data set four: x of sample 2 holds NaN; fix the data, or leave such samples out',
    );
    expect(() => checkData(regression(), dataOf({ y: 1e39 }))).toThrow('y of sample 2 holds Infinity');
    // Fields that the network does not use are not checked.
    expect(() => checkData(classifier(3), dataOf({ y: Number.NaN }))).not.toThrow();
  });

  it('refuses targets that a loss does not take, with the sample, the value and the remedy', () => {
    const graph = new Graph();
    const plan = createPlan(
      graph.model(
        dense(1, { activation: 'sigmoid' })(graph.input('x', [2])),
        binaryCrossentropy({ target: 'y' }),
      ),
    );
    expect(() => checkData(plan, dataOf({ y: 1 }))).not.toThrow();
    expect(() => checkData(plan, dataOf({ y: 2 }))).toThrow(
      'data set four: y of sample 2 is 2, and binaryCrossentropy needs targets from 0 to 1; bring them to 0 and 1, or use another loss',
    );
  });

  it('refuses labels of ctc that are no class', () => {
    const graph = new Graph();
    const logits = dense(3, { name: 'labels' })(graph.input('sound', [4, 2]));
    const plan = createPlan(graph.model(logits, ctc({ target: 'said', length: 2 })));
    const data = (label: number) =>
      packSamples('two', {
        sound: { shape: [4, 2], values: [new Array(8).fill(0), new Array(8).fill(1)] },
        said: {
          shape: [2],
          dtype: 'i32',
          values: [
            [1, 0],
            [label, 2],
          ],
        },
      });
    expect(() => checkData(plan, data(2))).not.toThrow();
    expect(() => checkData(plan, data(3))).toThrow(
      'said of sample 1 is 3, and the output labels has 3 classes, 0 to 2',
    );
  });

  it('refuses ids that an embedding does not have, and fractions', () => {
    const graph = new Graph();
    const words = embedding(5, 2, { name: 'words' })(graph.input('ids', [2]));
    const plan = createPlan(graph.model(dense(1)(flatten()(words)), meanSquaredError({ target: 'y' })));
    const data = (id: number) =>
      packSamples('ids', {
        ids: {
          shape: [2],
          values: [
            [0, 4],
            [id, -1],
          ],
        },
        y: { shape: [1], values: [[0], [1]] },
      });
    expect(() => checkData(plan, data(3))).not.toThrow();
    expect(() => checkData(plan, data(5))).toThrow(
      'ids of sample 1 is 5, and the embedding words has 5 entries, 0 to 4',
    );
    expect(() => checkData(plan, data(0.5))).toThrow('ids of sample 1 is 0.5');
  });

  it('refuses batch statistics over one sample', () => {
    const graph = new Graph();
    const x = batchNormalization({ virtualBatchSize: 4 })(graph.input('x', [2]));
    const plan = createPlan(graph.model(dense(1)(x), meanSquaredError({ target: 'y' })));
    expect(() => checkData(plan, dataOf({}), 4)).not.toThrow();
    expect(() => checkData(plan, dataOf({}), 3)).toThrow(
      'a batch of 1 samples ends with a group of one for batch normalization (groups of 4), whose variance is 0; ' +
        'choose another --batch, another virtualBatchSize, or another number of samples',
    );
  });
});
