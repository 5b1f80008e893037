/*
 * add:  y = x_1 + x_2 + ... , from left to right      dx_i = dy
 */
import { elementsOf } from '../shape.js';
import { commonShape } from './common-shape.js';
import { type KernelOp, NoAttributes, WITHOUT_PARAMETERS } from './op.js';

export const addOp: KernelOp<NoAttributes> = {
  ...WITHOUT_PARAMETERS,
  attributes: NoAttributes,
  arity: { min: 2, max: 64 },
  shape: commonShape,
  backwardReads: { inputs: false, output: false },
  errorTerm: 'passed',
  forward(to, { rows, output, x: [first, ...others], y }) {
    const n = rows * elementsOf(output);
    others.forEach((b, i) => {
      to.emit('addVectors', { out: y, a: i === 0 ? first : y, b, n });
    });
  },
  backward() {},
};
