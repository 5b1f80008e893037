import { expect, it } from 'vitest';
import { Graph } from '../../shared/graph/graph.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { sequential } from '../../shared/graph/layers/sequential.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';
import { withFrozenLayers } from '../../trainer/frozen-layers.js';
import type { Recipe } from '../../trainer/recipe.js';

const RECIPE = {
  model() {
    const graph = new Graph();
    const network = sequential([dense(2), dense(3), dense(1, { name: 'head.a' })]);
    return graph.model(network(graph.input('x', [2])), meanSquaredError({ target: 'y' }));
  },
} as unknown as Recipe;

function frozen(...layers: string[]): string[] {
  const { parameters } = withFrozenLayers(RECIPE, layers).model({} as never);
  return parameters.filter(({ trainable }) => trainable === false).map(({ name }) => name);
}

it('freezes the layers of these names, with all of their parts', () => {
  expect(withFrozenLayers(RECIPE, undefined)).toBe(RECIPE);
  expect(frozen('dense')).toEqual(['dense/bias', 'dense/kernel']);
  expect(frozen('dense*')).toEqual(['dense/bias', 'dense/kernel', 'dense_1/bias', 'dense_1/kernel']);
  expect(frozen('dense_1/kernel', 'head.a')).toEqual(['dense_1/kernel', 'head.a/bias', 'head.a/kernel']);
});

it('refuses names that fit nothing, and all of the layers', () => {
  expect(() => frozen('conv')).toThrow('no layer is called conv; the layers are dense, dense_1, head.a');
  expect(() => frozen('headxa')).toThrow('no layer is called headxa');
  expect(() => frozen('*')).toThrow('leaves no layer to train');
});
