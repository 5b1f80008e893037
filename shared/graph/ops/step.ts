/*
 * step, element by element:  y = 1 where x > 0, else 0      dx = 0
 */
import { elementsOf } from '../shape.js';
import { type KernelOp, NoAttributes, WITHOUT_PARAMETERS } from './op.js';

export const stepOp: KernelOp<NoAttributes> = {
  ...WITHOUT_PARAMETERS,
  attributes: NoAttributes,
  arity: { min: 1, max: 1 },
  shape: ({ inputs: [shape] }) => shape,
  backwardReads: { inputs: false, output: false },
  errorTerm: 'emitted',
  forward(to, { rows, output, x, y }) {
    const n = rows * elementsOf(output);
    to.emit('fill', { out: y, n, value: 1 });
    // The derivative of relu, times 1.
    to.emit('reluBackward', { y: x[0], dy: y, dx: y, n });
  },
  backward(to, { rows, output, dx }) {
    to.emit('fill', { out: dx[0], n: rows * elementsOf(output), value: 0 });
  },
};
