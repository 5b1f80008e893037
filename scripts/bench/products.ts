import type { Tape } from '../../shared/kernels/tape.js';

/** A product that kernels are timed on: rows x inner x cols multiply-adds. */
export interface ProductCase {
  readonly name: string;
  readonly rows: number;
  readonly inner: number;
  readonly cols: number;
  /** Which operand comes transposed: that of a weight gradient (a), of an input gradient (b), or none. */
  readonly transposed: 'none' | 'a' | 'b';
  /** Rows of a leaf; of weight gradients only, whose inner dimension is the batch. */
  readonly leaf?: number;
}

const square = (n: number): ProductCase => ({
  name: `sgemm ${n}`,
  rows: n,
  inner: n,
  cols: n,
  transposed: 'none',
});

const forward = (batch: number, inputs: number, units: number): ProductCase => ({
  name: `forward ${batch}x${inputs}x${units}`,
  rows: batch,
  inner: inputs,
  cols: units,
  transposed: 'none',
});

const inputGradient = (batch: number, inputs: number, units: number): ProductCase => ({
  name: `input gradient ${batch}x${units}x${inputs}`,
  rows: batch,
  inner: units,
  cols: inputs,
  transposed: 'b',
});

/** Canonical order with leaves of 16 and 32 samples, and one leaf: the same product without anything to merge. */
const weightGradients = (batch: number, inputs: number, units: number): ProductCase[] =>
  [16, 32, batch].map((leaf) => ({
    name: `weight gradient ${inputs}x${batch}x${units}, ${leaf === batch ? 'one leaf' : `leaf ${leaf}`}`,
    rows: inputs,
    inner: batch,
    cols: units,
    transposed: 'a',
    leaf,
  }));

/** Every product that is timed: squares, and those of the dense layers of mlp512. */
export const PRODUCTS: readonly ProductCase[] = [
  ...[256, 512, 768, 1024].map(square),
  forward(32, 784, 512),
  forward(128, 784, 512),
  forward(128, 512, 512),
  inputGradient(128, 512, 512),
  ...weightGradients(128, 784, 512),
];

/** Floats of the operands and of the result. */
export function operandFloats({ rows, inner, cols }: ProductCase): { a: number; b: number; out: number } {
  return { a: rows * inner, b: inner * cols, out: rows * cols };
}

/** Writes the kernel call of a product; a, b and out are byte offsets. */
export function emitProduct(
  tape: Tape,
  { rows, inner, cols, transposed, leaf }: ProductCase,
  { a, b, out }: { a: number; b: number; out: number },
): void {
  switch (transposed) {
    case 'none':
      tape.emit('matmul', { a, b, bias: 0, out, rows, inner, cols, activation: 0 });
      break;
    case 'b':
      tape.emit('matmulTransposedB', { a, b, out, rows, inner, cols });
      break;
    case 'a':
      tape.emit('treeMatmulTransposedA', {
        a,
        b,
        out,
        rows: inner,
        m: rows,
        n: cols,
        leafRows: leaf ?? inner,
      });
  }
}
