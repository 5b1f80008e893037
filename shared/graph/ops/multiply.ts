/*
 * multiply, element by element:  y = a * b      da = dy * b      db = dy * a
 */
import { elementsOf } from '../shape.js';
import { commonShape } from './common-shape.js';
import { type KernelOp, NoAttributes, WITHOUT_PARAMETERS } from './op.js';

export const multiplyOp: KernelOp<NoAttributes> = {
  ...WITHOUT_PARAMETERS,
  attributes: NoAttributes,
  arity: { min: 2, max: 2 },
  shape: commonShape,
  backwardReads: { inputs: true, output: false },
  errorTerm: 'emitted',
  forward(to, { rows, output, x, y }) {
    const [a, b] = x as unknown as [number, number];
    to.emit('multiplyVectors', { out: y, a, b, n: rows * elementsOf(output) });
  },
  backward(to, { rows, output, x, dy, dx }) {
    const [a, b] = x as unknown as [number, number];
    const [da, db] = dx as unknown as [number, number];
    const n = rows * elementsOf(output);
    if (da !== 0) to.emit('multiplyVectors', { out: da, a: dy, b, n });
    if (db !== 0) to.emit('multiplyVectors', { out: db, a: dy, b: a, n });
  },
};
