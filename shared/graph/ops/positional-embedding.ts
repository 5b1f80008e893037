/*
 * positionalEmbedding:  y = x + table      dx = dy      dtable = sum over samples of dy
 *
 * One trained vector for each position, the same for every sample.
 */
import { elementsOf } from '../shape.js';
import { type KernelOp, NoAttributes } from './op.js';

export const positionalEmbeddingOp: KernelOp<NoAttributes, 'table'> = {
  kind: 'kernel',
  attributes: NoAttributes,
  arity: { min: 1, max: 1 },
  roles: ['table'],
  parameters: ({ inputs: [input] }) => ({ table: input }),
  shape: ({ inputs }) => inputs[0],
  backwardReads: { inputs: false, output: false },
  errorTerm: 'passed',
  forward(to, { rows, output, weights, x, y }) {
    to.emit('addToRows', { out: y, a: x[0], b: weights.table, rows, n: elementsOf(output) });
  },
  backward() {},
  parameterGradients(to, { rows, leafRows, output, dy, gradients }) {
    to.emit('treeSumRows', { a: dy, out: gradients.table, rows, n: elementsOf(output), leafRows });
  },
};
