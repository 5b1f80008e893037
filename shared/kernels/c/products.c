/**
 * Matrix products. Every element of a result is ONE chain of fused multiply-adds over the inner index, ascending,
 * starting from +0; no blocking, vector width or thread count may show in the bits.
 */
#include "kernel.h"

KERNEL(matmul, PTR a, PTR b, PTR bias, PTR out, I32 rows, I32 inner, I32 cols, I32 activation) {
  const f32 *x = a, *w = b, *add = bias;
  f32 *y = out;
  for (i32 r = 0; r < rows; r++)
    for (i32 c = 0; c < cols; c += 16) {
      i32 n = cols - c < 16 ? cols - c : 16;
      v16 sum = v_zero();
      for (i32 k = 0; k < inner; k++) sum = v_fma(v_set(x[r * inner + k]), v_load_n(w + k * cols + c, n), sum);
      if (add) sum = v_add(sum, v_load_n(add + c, n));
      if (activation) sum = v_max(sum, v_zero());
      v_store_n(y + r * cols + c, sum, n);
    }
}

KERNEL(matmulTransposedB, PTR a, PTR b, PTR out, I32 rows, I32 inner, I32 cols) {
  const f32 *x = a, *w = b;
  f32 *y = out;
  for (i32 r = 0; r < rows; r++)
    for (i32 c = 0; c < cols; c++) {
      f32 sum = 0;
      for (i32 k = 0; k < inner; k++) sum = f32_fma(x[r * inner + k], w[c * inner + k], sum);
      y[r * cols + c] = sum;
    }
}

/** Levels of a tree over 2^31 leaves. */
#define TREE_LEVELS 32

/** Adds one leaf to a stack of subtrees as 1 is added to a binary number; `leaves` counts those before it. */
INLINE void tree_push(v16 *stack, u32 leaves, v16 leaf) {
  i32 level = 0;
  for (; leaves >> level & 1; level++) leaf = v_add(stack[level], leaf);
  stack[level] = leaf;
}

/** Closes the stack: what has no right sibling passes upwards unchanged. */
INLINE v16 tree_close(const v16 *stack, u32 leaves) {
  v16 sum = v_zero();
  i32 some = 0;
  for (i32 level = 0; level < TREE_LEVELS; level++)
    if (leaves >> level & 1) {
      sum = some ? v_add(stack[level], sum) : stack[level];
      some = 1;
    }
  return sum;
}

KERNEL(treeMatmulTransposedA, PTR a, PTR b, PTR out, I32 rows, I32 m, I32 n, I32 leafRows) {
  const f32 *x = a, *dy = b;
  f32 *dw = out;
  v16 stack[TREE_LEVELS];
  for (i32 i = 0; i < m; i++)
    for (i32 c = 0; c < n; c += 16) {
      i32 lanes = n - c < 16 ? n - c : 16;
      u32 leaves = 0;
      for (i32 r = 0; r < rows; r += leafRows) {
        i32 end = rows - r < leafRows ? rows : r + leafRows;
        v16 sum = v_zero();
        for (i32 k = r; k < end; k++) sum = v_fma(v_set(x[k * m + i]), v_load_n(dy + k * n + c, lanes), sum);
        tree_push(stack, leaves++, sum);
      }
      v_store_n(dw + i * n + c, tree_close(stack, leaves), lanes);
    }
}

KERNEL(treeSumRows, PTR a, PTR out, I32 rows, I32 n, I32 leafRows) {
  const f32 *x = a;
  f32 *y = out;
  v16 stack[TREE_LEVELS];
  for (i32 c = 0; c < n; c += 16) {
    i32 lanes = n - c < 16 ? n - c : 16;
    u32 leaves = 0;
    for (i32 r = 0; r < rows; r += leafRows) {
      i32 end = rows - r < leafRows ? rows : r + leafRows;
      v16 sum = v_zero();
      for (i32 k = r; k < end; k++) sum = v_add(sum, v_load_n(x + k * n + c, lanes));
      tree_push(stack, leaves++, sum);
    }
    v_store_n(y + c, tree_close(stack, leaves), lanes);
  }
}
