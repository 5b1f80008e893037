/*
 * where, element by element:  y = c > 0 ? a : b      da = c > 0 ? dy : 0      db = c > 0 ? 0 : dy      dc = 0
 */
import { elementsOf } from '../shape.js';
import { commonShape } from './common-shape.js';
import { type KernelOp, NoAttributes, WITHOUT_PARAMETERS } from './op.js';

export const whereOp: KernelOp<NoAttributes> = {
  ...WITHOUT_PARAMETERS,
  attributes: NoAttributes,
  arity: { min: 3, max: 3 },
  shape: commonShape,
  backwardReads: { inputs: true, output: false },
  // Whether b is taken, 1 or 0, and b where it is.
  saved: ({ inputs: [shape] }) => [elementsOf(shape), elementsOf(shape)],
  errorTerm: 'emitted',
  forward(to, { rows, output, x, y, saved }) {
    const [c, a, b] = x as unknown as [number, number, number];
    const [isB, taken] = saved as [number, number];
    const n = rows * elementsOf(output);
    to.emit('fill', { out: isB, n, value: 1 });
    to.emit('reluBackward', { y: c, dy: isB, dx: isB, n });
    to.emit('affineVector', { out: isB, a: isB, n, factor: -1, summand: 1 });
    to.emit('reluBackward', { y: c, dy: a, dx: y, n });
    to.emit('reluBackward', { y: isB, dy: b, dx: taken, n });
    to.emit('addVectors', { out: y, a: y, b: taken, n });
  },
  backward(to, { rows, output, x, saved, dy, dx }) {
    const [dc, da, db] = dx as unknown as [number, number, number];
    const n = rows * elementsOf(output);
    if (dc !== 0) to.emit('fill', { out: dc, n, value: 0 });
    if (da !== 0) to.emit('reluBackward', { y: x[0], dy, dx: da, n });
    if (db !== 0) to.emit('reluBackward', { y: saved[0] as number, dy, dx: db, n });
  },
};
