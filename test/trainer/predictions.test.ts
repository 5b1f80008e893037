import { expect, it } from 'vitest';
import { Graph } from '../../shared/graph/graph.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import type { StoredModel } from '../../trainer/model-text.js';
import { predictionFormat } from '../../trainer/predictions.js';

it('the values of several outputs are called after their outputs', () => {
  const graph = new Graph();
  const x = graph.input('x', [2]);
  const network = graph.model(
    { kind: dense(3)(x), size: dense(1)(x) },
    { kind: meanSquaredError({ target: 'kind' }), size: meanSquaredError({ target: 'size' }) },
  );
  const preprocessing = { kind: 'fields', classes: [] };
  const stored = { network, preprocessing, classes: null, alphabet: null } as unknown as StoredModel;
  const { headings, read } = predictionFormat(stored);
  expect(headings).toEqual(['kind 1', 'kind 2', 'kind 3', 'size']);
  expect(read(Float32Array.of(1, 2, 3, 4))).toEqual([1, 2, 3, 4]);
});
