/**
 * Norms of a vector, block by block, so that threads can share the work at the borders of blocks and every sum still has
 * one order: a block is BLOCK floats counted from `a`, the last one may be shorter. In a block lane l of sixteen takes the
 * elements l, l+16, ... in ascending order; the lanes are closed by the fixed tree of rows.c.
 */
#include "kernel.h"
#include "lanes.h"

/** Floats of a block; the same number is in ../memory-map.ts. */
#define NORM_BLOCK 1024

/** Elements of the block at `from`. */
INLINE i32 norm_block(i32 n, i32 from) { return n - from < NORM_BLOCK ? n - from : NORM_BLOCK; }

/** Magnitudes from 2^48 on are large: so many squares of smaller ones as a vector can have stay below 2^128. */
#define LARGE_BITS 0x57800000
/** Large blocks are added up this much smaller, so that the square of the greatest float is no infinity either. */
#define SHRINK 0x1p-80f

/**
 * out[b] = sum of fma(a, a, .) over block b, or 0 where a magnitude is large: then large[b] is the same sum of 2^-80 a, and
 * otherwise 0. What is not finite shows in `large` as what is not finite, and nothing else does.
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

/** out[0] = the aligned binary tree over n >= 1 elements: neighbours first, an element without one passing through. */
KERNEL(treeTotal, PTR a, PTR out, I32 n) {
  const f32 *x = a;
  f32 waiting[32];
  for (i32 i = 0;; i++) {
    f32 sum = x[i];
    u32 level = 0;
    // The last element meets all that waits, a passed-through node being its own parent.
    for (; i == n - 1 ? (u32)i >> level != 0 : (u32)i >> level & 1; level++)
      if ((u32)i >> level & 1) sum = waiting[level] + sum;
    if (i == n - 1) {
      *(f32 *)out = sum;
      return;
    }
    waiting[level] = sum;
  }
}
