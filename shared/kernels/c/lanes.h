/** Helpers that most kernels share: loops over n elements in vectors of sixteen, and searches along a row. */
#pragma once
#include "kernel.h"

/**
 * Runs the statements for each block of sixteen of n elements: `at` is the index of the first element, `lanes` the number
 * of elements (16 except in the last block). `lanes` is a constant in the loop, so full vectors do not test for the tail.
 */
#define BLOCKS(n, ...)                                         \
  do {                                                         \
    i32 at = 0;                                                \
    for (const i32 lanes = 16; at <= (n) - lanes; at += 16) {  \
      __VA_ARGS__                                              \
    }                                                          \
    if (at < (n)) {                                            \
      const i32 lanes = (n) - at;                              \
      __VA_ARGS__                                              \
    }                                                          \
  } while (0)

/** The same for long statements: one copy of the code, because the test for the tail costs little beside them. */
#define BLOCKS_LONG(n, ...)                                    \
  for (i32 at = 0; at < (n); at += 16) {                       \
    const i32 lanes = (n) - at < 16 ? (n) - at : 16;           \
    __VA_ARGS__                                                \
  }

/** The first `lanes` of sixteen, for use in BLOCKS. */
INLINE v16 part_load(const f32 *p, i32 lanes) { return lanes == 16 ? v_load(p) : v_load_n(p, lanes); }
INLINE void part_store(f32 *p, v16 a, i32 lanes) {
  if (lanes == 16)
    v_store(p, a);
  else
    v_store_n(p, a, lanes);
}
/** The same for long vectors. The tail is rare there and its code is long in some builds, so it is not inlined. */
static __attribute__((noinline, unused)) v16 tail_load(const f32 *p, i32 lanes) { return v_load_n(p, lanes); }
static __attribute__((noinline, unused)) void tail_store(f32 *p, v16 a, i32 lanes) { v_store_n(p, a, lanes); }
INLINE v16 block_load(const f32 *p, i32 lanes) { return lanes == 16 ? v_load(p) : tail_load(p, lanes); }
INLINE void block_store(f32 *p, v16 a, i32 lanes) {
  if (lanes == 16)
    v_store(p, a);
  else
    tail_store(p, a, lanes);
}

/** a in the first `lanes` lanes, `other` in the rest. */
INLINE v16 part_or(v16 a, v16 other, i32 lanes) { return lanes == 16 ? a : v_select(m_first(lanes), a, other); }

/**
 * 0 where |a| < 2^-100, else a; NaN stays NaN. For moving averages that decay towards 0: without it they end as subnormals
 * that never change again (0.9 * 4 units rounds to 4 units), and most processors are a hundred times slower on subnormals.
 */
INLINE v16 v_flush(v16 a) { return v_select(v_lt(v_abs(a), v_set(0x1p-100f)), v_zero(), a); }

#define INFINITY_F32 __builtin_inff()

/** Largest of n elements. Whether a NaN is skipped depends on its position, but is the same in every build. */
INLINE f32 row_max(const f32 *x, i32 n) {
  const v16 lowest = v_set(-INFINITY_F32);
  v16 top = lowest;
  BLOCKS(n, top = v_max(top, part_or(part_load(x + at, lanes), lowest, lanes)););
  return v_reduce_max(top);
}

/** Index of the first of n elements that equals `value`; n if there is none. */
INLINE i32 row_find(const f32 *x, i32 n, f32 value) {
  i32 i = 0;
  while (i < n && !(x[i] == value)) i++;
  return i;
}
