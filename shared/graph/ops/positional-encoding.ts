/*
 * positionalEncoding (Vaswani et al. 2017), for position p and element i of a vector of n:
 *
 *     y[p, i] = x[p, i] + sin or cos (even or odd i) of p / 10000^(2 floor(i / 2) / n)      dx = dy
 */
import { UserError } from '../../errors.js';
import { formatShape, lastOf, positionsOf } from '../shape.js';
import { type KernelOp, NoAttributes, WITHOUT_PARAMETERS } from './op.js';

export const positionalEncodingOp: KernelOp<NoAttributes> = {
  ...WITHOUT_PARAMETERS,
  attributes: NoAttributes,
  arity: { min: 1, max: 1 },
  shape({ name, inputs: [input] }) {
    if (input.length === 2) return input;
    throw new UserError(
      `layer ${name}: an input of shape ${formatShape(input)} is not a sequence; reshape it to [positions, width]`,
    );
  },
  backwardReads: { inputs: false, output: false },
  errorTerm: 'passed',
  forward(to, { rows, output, x, y }) {
    const size = { rows, positions: positionsOf(output), width: lastOf(output) };
    to.emit('addSinusoids', { out: y, a: x[0], ...size });
  },
  backward() {},
};
