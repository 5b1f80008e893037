import { describe, expect, it } from 'vitest';
import { checkData } from '../../scripts/training/check-data.js';
import { packSamples } from '../../shared/data/samples.js';
import { Graph } from '../../shared/graph/graph.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import { sparseCategoricalCrossentropy } from '../../shared/graph/losses/sparse-categorical-crossentropy.js';
import { createPlan } from '../../shared/graph/plan.js';

/** Four samples of two numbers, a class and a target. */
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

describe('data that a network cannot learn from', () => {
  it('has other shapes than the network', () => {
    const graph = new Graph();
    const plan = createPlan(graph.model(dense(1)(graph.input('x', [3])), meanSquaredError({ target: 'y' })));
    expect(() => checkData(plan, dataOf({}))).toThrow('field x: the data has shape [2], the model needs [3]');
  });

  it('names classes that the network does not have', () => {
    expect(() => checkData(classifier(3), dataOf({}))).not.toThrow();
    expect(() => checkData(classifier(2), dataOf({}))).toThrow(
      'data set four: kind of sample 3 is 2, and the output kinds has 2 classes, 0 to 1; give the last layer more units',
    );
    expect(() => checkData(classifier(3), dataOf({ kind: -1 }))).toThrow('kind of sample 3 is -1');
    expect(() => checkData(classifier(3, { ignoreIndex: -1 }), dataOf({ kind: -1 }))).not.toThrow();
  });

  it('holds numbers that are none', () => {
    expect(() => checkData(regression(), dataOf({}))).not.toThrow();
    expect(() => checkData(regression(), dataOf({ x: Number.NaN }))).toThrow(
      'data set four: x of sample 2 holds NaN; mend the data, or leave such samples out',
    );
    expect(() => checkData(regression(), dataOf({ y: 1e39 }))).toThrow('y of sample 2 holds Infinity');
    // What the network does not look at is none of its business.
    expect(() => checkData(classifier(3), dataOf({ y: Number.NaN }))).not.toThrow();
  });
});
