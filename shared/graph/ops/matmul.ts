/*
 * matmul, of two matrices of a sample, or of as many pairs of them as the axes before have:
 *
 *     y = a b      da = dy b^T      db = a^T dy
 *
 * Sums run over the inner index, ascending, as in a dense layer.
 */
import { UserError } from '../../errors.js';
import { elementsOf, formatShape, type Shape, sameShape } from '../shape.js';
import { type KernelOp, NoAttributes, type OpCall, WITHOUT_PARAMETERS } from './op.js';

/** The sizes [m, inner] and [inner, n] of the matrices, and how many pairs a sample has. */
function sizesOf(inputs: readonly Shape[]) {
  const [a, b] = inputs as unknown as [Shape, Shape];
  const [m = 0, inner = 0] = a.slice(-2);
  return { m, inner, n: b.at(-1) ?? 0, pairs: elementsOf(a.slice(0, -2)) };
}

/** Calls back for each pair of matrices of a range, with the byte offsets of both and of their product. */
function eachPair(
  { rows, inputs }: Pick<OpCall<NoAttributes, never>, 'rows' | 'inputs'>,
  visit: (a: number, b: number, y: number) => void,
): void {
  const { m, inner, n, pairs } = sizesOf(inputs);
  for (let i = 0; i < rows * pairs; i++) visit(i * m * inner * 4, i * inner * n * 4, i * m * n * 4);
}

export const matmulOp: KernelOp<NoAttributes> = {
  ...WITHOUT_PARAMETERS,
  attributes: NoAttributes,
  arity: { min: 2, max: 2 },
  shape({ name, inputs }) {
    const [a, b] = inputs as unknown as [Shape, Shape];
    const { m, inner, n } = sizesOf(inputs);
    if (
      a.length >= 2 &&
      sameShape(a.slice(0, -2), b.slice(0, -2)) &&
      b.length === a.length &&
      b.at(-2) === inner
    )
      return [...a.slice(0, -2), m, n];
    throw new UserError(
      `layer ${name}: matrices of shapes ${formatShape(a)} and ${formatShape(b)} cannot be multiplied; the columns of the ` +
        'first are the rows of the second, and the axes before are equal',
    );
  },
  backwardReads: { inputs: true, output: false },
  errorTerm: 'emitted',
  forward(to, call) {
    const { m, inner, n } = sizesOf(call.inputs);
    const [a = 0, b = 0] = call.x;
    eachPair(call, (atA, atB, atY) => {
      const product = { a: a + atA, b: b + atB, bias: 0, out: call.y + atY };
      to.emit('matmul', { ...product, rows: m, inner, cols: n, activation: 0 });
    });
  },
  backward(to, call) {
    const { m, inner, n } = sizesOf(call.inputs);
    const [a = 0, b = 0] = call.x;
    const [da = 0, db = 0] = call.dx;
    eachPair(call, (atA, atB, atY) => {
      const dy = call.dy + atY;
      if (da !== 0)
        to.emit('matmulTransposedB', { a: dy, b: b + atB, out: da + atA, rows: m, inner: n, cols: inner });
      if (db !== 0)
        to.emit('treeMatmulTransposedA', {
          a: a + atA,
          b: dy,
          out: db + atB,
          rows: m,
          m: inner,
          n,
          leafRows: m,
        });
    });
  },
};
