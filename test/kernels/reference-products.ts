/** Matrix products in the canonical order, one simple loop each. */
import { fma } from './exact-fma.js';

/** act(sum over k of a[r, k] b[k, c], + bias[c]); `a` [rows, inner], `b` [inner, cols]. */
export function referenceMatmul(
  a: Float32Array,
  b: Float32Array,
  bias: Float32Array | undefined,
  [rows, inner, cols]: readonly [number, number, number],
  relu: boolean,
): Float32Array {
  const out = new Float32Array(rows * cols);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) {
      let sum = 0;
      for (let k = 0; k < inner; k++) sum = fma(a[r * inner + k]!, b[k * cols + c]!, sum);
      if (bias) sum = Math.fround(sum + bias[c]!);
      out[r * cols + c] = relu && sum < 0 ? 0 : sum;
    }
  }
  return out;
}

/** `referenceMatmul` with `b` [cols, inner]. */
export function referenceMatmulTransposedB(
  a: Float32Array,
  b: Float32Array,
  [rows, inner, cols]: readonly [number, number, number],
): Float32Array {
  const turned = new Float32Array(b.length);
  for (let c = 0; c < cols; c++) for (let k = 0; k < inner; k++) turned[k * cols + c] = b[c * inner + k]!;
  return referenceMatmul(a, turned, undefined, [rows, inner, cols], false);
}

/** The sum of leaf sums by the aligned tree, level by level: a node without a right child equals its left child. */
export function treeOf(leaves: number[]): number {
  let level = leaves;
  while (level.length > 1) {
    const next: number[] = [];
    for (let i = 0; i < level.length; i += 2) {
      next.push(i + 1 < level.length ? Math.fround(level[i]! + level[i + 1]!) : level[i]!);
    }
    level = next;
  }
  return level[0]!;
}

/** Tree over leaves of the sum over r of a[r, m] b[r, n]. */
export function referenceTreeMatmulTransposedA(
  a: Float32Array,
  b: Float32Array,
  [rows, m, n]: readonly [number, number, number],
  leafRows: number,
): Float32Array {
  const out = new Float32Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      const leaves: number[] = [];
      for (let first = 0; first < rows; first += leafRows) {
        let sum = 0;
        for (let r = first; r < Math.min(rows, first + leafRows); r++) {
          sum = fma(a[r * m + i]!, b[r * n + j]!, sum);
        }
        leaves.push(sum);
      }
      out[i * n + j] = treeOf(leaves);
    }
  }
  return out;
}

/** Tree over leaves of the sum over r of a[r, n]. */
export function referenceTreeSumRows(
  a: Float32Array,
  rows: number,
  n: number,
  leafRows: number,
): Float32Array {
  return referenceTreeMatmulTransposedA(new Float32Array(rows).fill(1), a, [rows, 1, n], leafRows);
}
