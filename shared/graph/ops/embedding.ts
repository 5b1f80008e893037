/*
 * embedding:  y[p] = table[x[p]]      dtable[e] = sum over samples and positions p with x[p] = e of dy[p]
 *
 * x holds ids: integers stored as bytes or float32, which is exact up to 2^24. An id that is not an entry of the table gives a
 * vector of zeros, for padding. Inside a leaf the sum runs in the order of (sample, position).
 */
import * as v from 'valibot';
import { elementsOf } from '../shape.js';
import { type KernelOp, Size } from './op.js';

export const EmbeddingAttributes = v.strictObject({
  entries: v.pipe(Size, v.maxValue(2 ** 24)),
  width: Size,
});
export type EmbeddingAttributes = v.InferOutput<typeof EmbeddingAttributes>;

export const embeddingOp: KernelOp<EmbeddingAttributes, 'table'> = {
  kind: 'kernel',
  attributes: EmbeddingAttributes,
  arity: { min: 1, max: 1 },
  roles: ['table'],
  parameters: ({ attributes: { entries, width } }) => ({ table: [entries, width] }),
  shape: ({ inputs: [input], attributes: { width } }) => [...input, width],
  backwardReads: { inputs: true, output: false },
  // Not written by forward: a word for each id, for the lists of occurrences that the gradient builds.
  saved: ({ inputs: [input] }) => [elementsOf(input)],
  errorTerm: 'emitted',

  forward(to, { rows, inputs: [input], attributes, weights, x, y }) {
    const size = { rows: rows * elementsOf(input), ...attributes };
    to.emit('embeddingForward', { ids: x[0], table: weights.table, out: y, ...size });
  },

  /** A step function of its ids: its derivative is 0 almost everywhere. */
  backward(to, { rows, inputs: [input], dx }) {
    to.emit('fill', { out: dx[0], n: rows * elementsOf(input), value: 0 });
  },

  parameterGradients(to, { rows, leafRows, inputs: [input], attributes, x, saved, dy, gradients }) {
    const positions = elementsOf(input);
    const range = { rows: rows * positions, leafRows: leafRows * positions };
    to.emit('treeScatterRows', {
      ids: x[0],
      dy,
      next: saved[0] ?? 0,
      out: gradients.table,
      ...attributes,
      ...range,
    });
  },
};
