/*
 * reverseEmbedding, along the last axis:  y = x table^T      x [.., width]   table [entries, width]   y [.., entries]
 *
 *     dx = dy table      dtable = sum over samples and positions of dy^T x
 *
 * The products of x with each vector of an embedding. It uses the table of the embedding, so that inputs and outputs share
 * their vectors (Press, Wolf: "Using the output embedding to improve language models", 2017).
 */
import { UserError } from '../../errors.js';
import { formatShape, lastOf, positionsOf } from '../shape.js';
import { EmbeddingAttributes } from './embedding.js';
import type { KernelOp } from './op.js';

const NO_ACTIVATION = 0;

export const reverseEmbeddingOp: KernelOp<EmbeddingAttributes, 'table'> = {
  kind: 'kernel',
  attributes: EmbeddingAttributes,
  arity: { min: 1, max: 1 },
  roles: ['table'],
  parameters: ({ attributes: { entries, width } }) => ({ table: [entries, width] }),
  shape({ name, inputs: [input], attributes: { entries, width } }) {
    if (input.length === 0 || lastOf(input) !== width) {
      throw new UserError(
        `layer ${name}: its vectors have ${width} numbers, but the input has shape ${formatShape(input)}; ` +
          `its last axis must be ${width}`,
      );
    }
    return [...input.slice(0, -1), entries];
  },
  backwardReads: { inputs: true, output: false },
  errorTerm: 'emitted',

  forward(to, { rows, inputs: [input], attributes: { entries, width }, weights, x, y }) {
    const size = { rows: rows * positionsOf(input), inner: width, cols: entries };
    to.emit('matmulTransposedB', { a: x[0], b: weights.table, out: y, ...size });
  },

  backward(to, { rows, inputs: [input], attributes: { entries, width }, weights, dy, dx }) {
    const size = { rows: rows * positionsOf(input), inner: entries, cols: width, activation: NO_ACTIVATION };
    to.emit('matmul', { a: dy, b: weights.table, bias: 0, out: dx[0], ...size });
  },

  parameterGradients(to, { rows, leafRows, inputs: [input], attributes, x, dy, gradients }) {
    const positions = positionsOf(input);
    const range = { rows: rows * positions, leafRows: leafRows * positions };
    const size = { m: attributes.entries, n: attributes.width };
    to.emit('treeMatmulTransposedA', { a: dy, b: x[0], out: gradients.table, ...size, ...range });
  },
};
