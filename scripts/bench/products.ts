import type { CommandBuffer } from '../../shared/kernels/command-buffer.js';

/** A product that kernels are timed on: rows x inner x cols multiply-adds. */
export interface ProductCase {
  readonly name: string;
  readonly rows: number;
  readonly inner: number;
  readonly cols: number;
  /** The operand that is stored transposed: a in weight gradients, b in input gradients. */
  readonly transposed: 'none' | 'a' | 'b';
  /** Rows of a leaf; for weight gradients only, whose inner dimension is the batch. */
  readonly leafSize?: number;
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

/** In canonical order with leaves of 16 and 32 samples, and with one leaf, which has nothing to merge. */
const weightGradients = (batch: number, inputs: number, units: number): ProductCase[] =>
  [16, 32, batch].map((leafSize) => ({
    name: `weight gradient ${inputs}x${batch}x${units}, ${leafSize === batch ? 'one leaf' : `leaf ${leafSize}`}`,
    rows: inputs,
    inner: batch,
    cols: units,
    transposed: 'a',
    leafSize,
  }));

/** Every timed product: square matrices, and the products of the dense layers of mlp512. */
export const PRODUCTS: readonly ProductCase[] = [
  ...[256, 512, 768, 1024].map(square),
  forward(32, 784, 512),
  forward(128, 784, 512),
  forward(128, 512, 512),
  inputGradient(128, 512, 512),
  ...weightGradients(128, 784, 512),
];

/** Number of floats of the operands and of the result. */
export function operandFloats({ rows, inner, cols }: ProductCase): { a: number; b: number; out: number } {
  return { a: rows * inner, b: inner * cols, out: rows * cols };
}

/** Writes the kernel call of a product; a, b and out are byte offsets. */
export function emitProduct(
  commandBuffer: CommandBuffer,
  { rows, inner, cols, transposed, leafSize }: ProductCase,
  { a, b, out }: { a: number; b: number; out: number },
): void {
  switch (transposed) {
    case 'none':
      commandBuffer.emit('matmul', { a, b, bias: 0, out, rows, inner, cols, activation: 0 });
      break;
    case 'b':
      commandBuffer.emit('matmulTransposedB', { a, b, out, rows, inner, cols });
      break;
    case 'a':
      commandBuffer.emit('treeMatmulTransposedA', {
        a,
        b,
        out,
        rows: inner,
        m: rows,
        n: cols,
        leafRows: leafSize ?? inner,
      });
  }
}
