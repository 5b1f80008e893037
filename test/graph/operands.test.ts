import { expect, it } from 'vitest';
import { Graph, type Tensor } from '../../shared/graph/graph.js';
import * as ops from '../../shared/graph/layers/arithmetic.js';
import { defineLayer } from '../../shared/graph/layers/define-layer.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';

/** The nodes of a model that computes this of an input: what they are, and their numbers. */
function nodesOf(compute: (x: Tensor) => Tensor) {
  const graph = new Graph();
  const { nodes } = graph.model(compute(graph.input('x', [3])), meanSquaredError({ target: 'y' }));
  return nodes.map(({ op, attributes }) => ({ op, attributes }));
}

it.each<[string, (x: Tensor) => Tensor, (x: Tensor) => Tensor]>([
  ['plus', (x) => ops.plus(2, x), (x) => ops.affine(x, 1, 2)],
  ['minus', (x) => ops.minus(2, x), (x) => ops.affine(x, -1, 2)],
  ['times', (x) => ops.times(2, x), (x) => ops.affine(x, 2, 0)],
  ['maximum', (x) => ops.maximum(2, x), (x) => ops.plus(apply('relu', ops.minus(2, x)), x)],
  ['minimum', (x) => ops.minimum(2, x), (x) => ops.minus(2, apply('relu', ops.minus(2, x)))],
  ['greater', (x) => ops.greater(2, x), (x) => apply('step', ops.affine(x, -1, 2))],
])('the first operand of %s may be a number', (_, compute, expected) => {
  expect(nodesOf(compute)).toEqual(nodesOf(expected));
});

function apply(op: 'relu' | 'step', x: Tensor): Tensor {
  return x.graph.add({ layer: { kind: op }, op, inputs: [x], attributes: {} });
}

it('a number is divided by a tensor', () => {
  expect(nodesOf((x) => ops.over(2, x)).map(({ op }) => op)).toEqual(['reciprocal', 'affine']);
});

it('operands that are no tensors are refused', () => {
  const x = new Graph().input('x', [3]);
  expect(() => ops.plus(1, 2)).toThrow('plus() of two numbers needs no op; one of its operands is a tensor');
  for (const wrong of ['1', undefined, {}] as unknown as Tensor[]) {
    expect(() => ops.plus(x, wrong)).toThrow('add takes tensors: the results of graph.input() and of layers');
    expect(() => ops.times(wrong, x)).toThrow('multiply takes tensors');
  }
});

it('a layer of the user refuses unknown options', () => {
  const layer = defineLayer('gain', (x) => ops.times(x, 2));
  expect(() => layer({ nam: 'a' } as object)).toThrow('gain() has no option "nam"; did you mean name?');
});
