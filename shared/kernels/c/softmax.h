/** Softmax of one row. */
#pragma once
#include "math.h"

/** e^x for x <= 0; 0 from -69 down, where it is below 2^-99: such a probability is negligible, and slow if subnormal. */
INLINE v16 v_exp_or_zero(v16 x) {
  const v16 lowest = v_set(-69);
  return v_select(v_le(x, lowest), v_zero(), v_exp(v_max(lowest, x)));
}

/**
 * y = e * (1 / s) with e = e^(x - top), 0 from -69 down, and s the sum of e along the row, which is returned; `top` is the
 * maximum of the row. There is one division a row: vectors of divisions would take as long as the exponentials. In place
 * allowed.
 */
INLINE f32 softmax_row(const f32 *x, f32 *y, i32 cols, f32 top) {
  const v16 shift = v_set(top);
  if (cols <= 16) {
    // The same operations without intermediate stores.
    const v16 e = part_or(v_exp_or_zero(v_sub(part_load(x, cols), shift)), v_zero(), cols);
    const f32 total = v_sum(e);
    part_store(y, v_mul(e, v_set(1 / total)), cols);
    return total;
  }
  v16 sum = v_zero();
  BLOCKS_LONG(cols, const v16 e = v_exp_or_zero(v_sub(part_load(x + at, lanes), shift));
         part_store(y + at, e, lanes);
         sum = v_add(sum, part_or(e, v_zero(), lanes)););
  const f32 total = v_sum(sum);
  const v16 inverse = v_set(1 / total);
  BLOCKS(cols, part_store(y + at, v_mul(part_load(y + at, lanes), inverse), lanes););
  return total;
}
