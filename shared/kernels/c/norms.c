/**
 * Norms of a vector, in blocks: threads can split the work between blocks without changing the order of any sum. A block is
 * NORM_BLOCK floats counted from `a`; the last one may be shorter. In a block, lane l of sixteen sums the elements l, l+16,
 * ... in ascending order; the lanes are summed by the fixed tree of rows.c.
 */
#include "kernel.h"
#include "lanes.h"

/** Floats of a block; must equal the constant in ../memory-map.ts. */
#define NORM_BLOCK 1024

/** Number of elements of the block at `from`. */
INLINE i32 norm_block(i32 n, i32 from) { return n - from < NORM_BLOCK ? n - from : NORM_BLOCK; }

/** Magnitudes from 2^48 on are large: the sum of all squares of smaller ones in any vector stays below 2^128. */
#define LARGE_BITS 0x57800000
/** Factor for large blocks: with it the square of the largest float is finite. */
#define SHRINK 0x1p-80f

/**
 * out[b] = sum of fma(a, a, .) over block b, and large[b] = 0; if the block has a large magnitude, out[b] = 0, and large[b] is
 * the same sum of 2^-80 a. large[b] is not finite exactly if an element of the block is not finite.
 */
KERNEL(sumSquares, PTR a, PTR out, PTR large, I32 n) {
  f32 *to = out, *beyond = large;
  const w16 magnitude = w_set(0x7fffffff), limit = w_set(LARGE_BITS - 1);
  for (i32 from = 0; from < n; from += NORM_BLOCK) {
    const f32 *x = (const f32 *)a + from;
    const i32 count = norm_block(n, from);
    v16 sum = v_zero();
    w16 top = w_set(0);
    BLOCKS(count, const v16 p = part_load(x + at, lanes); const w16 bits = w_and(v_bits(p), magnitude);
           sum = v_fma(p, p, sum); top = w_select(w_gt(bits, top), bits, top););
    const i32 is_large = m_bits(w_gt(top, limit)) != 0;
    if (is_large) {
      sum = v_zero();
      BLOCKS(count, const v16 p = v_mul(v_set(SHRINK), part_load(x + at, lanes)); sum = v_fma(p, p, sum););
    }
    *to++ = is_large ? 0 : v_sum(sum);
    *beyond++ = is_large ? v_sum(sum) : 0;
  }
}

/** out[0] = the sum of n >= 1 elements by the aligned binary tree; an element without a right sibling is passed up unchanged. */
KERNEL(treeTotal, PTR a, PTR out, I32 n) {
  const f32 *x = a;
  f32 pending[32];
  for (i32 i = 0;; i++) {
    f32 sum = x[i];
    u32 level = 0;
    // The last element merges with all pending subtrees: a node without a right sibling is its own parent.
    for (; i == n - 1 ? (u32)i >> level != 0 : (u32)i >> level & 1; level++)
      if ((u32)i >> level & 1) sum = pending[level] + sum;
    if (i == n - 1) {
      *(f32 *)out = sum;
      return;
    }
    pending[level] = sum;
  }
}
