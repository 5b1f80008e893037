import { expect, it } from 'vitest';
import { Graph } from '../../shared/graph/graph.js';
import { defineLoss } from '../../shared/graph/layers/composed-loss.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { ops } from '../../trainer/public/unisum.js';

it('refuses a loss that no layer can change, which would train to the end without effect', () => {
  const graph = new Graph();
  const y = dense(3)(graph.input('x', [2]));
  const ofTargets = defineLoss((_, field) => ops.mean(field('y', [3])));
  expect(() => graph.model(y, ofTargets)).toThrow(
    'the loss depends on no layer that learns: let it compute with the output of the network',
  );
  const ofBoth = defineLoss((output, field) => ops.mean(ops.square(ops.minus(output, field('y', [3])))));
  expect(graph.model(y, ofBoth).parameters).toHaveLength(2);
});
