/**
 * Losses of independent numbers: forward kernels write the mean over a row's elements, backward kernels the gradient of
 * scale * that mean. Sums along a row as in rows.c.
 */
#include "math.h"

/** loss = (sum of |y - t| along the row) / cols */
KERNEL(meanAbsoluteErrorForward, PTR y, PTR targets, PTR loss, I32 rows, I32 cols) {
  for (i32 r = 0; r < rows; r++) {
    const f32 *x = (const f32 *)y + r * cols, *t = (const f32 *)targets + r * cols;
    v16 sum = v_zero();
    BLOCKS(cols, sum = v_add(sum, v_abs(v_sub(part_load(x + at, lanes), part_load(t + at, lanes)))););
    ((f32 *)loss)[r] = v_sum(sum) / (f32)cols;
  }
}

/** dy = 1 / cols * scale with the sign of y - t; 0 where they are equal. In place allowed. */
KERNEL(meanAbsoluteErrorBackward, PTR y, PTR targets, PTR dy, I32 rows, I32 cols, F32 scale) {
  const f32 *x = y, *t = targets;
  f32 *out = dy;
  const v16 factor = v_set(1 / (f32)cols * scale);
  BLOCKS(rows * cols, const v16 d = v_sub(part_load(x + at, lanes), part_load(t + at, lanes));
         part_store(out + at, v_select(v_eq(d, v_zero()), v_zero(), v_with_sign_of(factor, d)), lanes););
}

/** loss = (sum of h along the row) / cols, d = |y - t|, h = d^2 / 2 up to delta, delta * (d - delta / 2) beyond */
KERNEL(huberForward, PTR y, PTR targets, PTR loss, I32 rows, I32 cols, F32 delta) {
  const v16 limit = v_set(delta), half = v_set(0.5f);
  for (i32 r = 0; r < rows; r++) {
    const f32 *x = (const f32 *)y + r * cols, *t = (const f32 *)targets + r * cols;
    v16 sum = v_zero();
    BLOCKS(cols, const v16 d = v_abs(v_sub(part_load(x + at, lanes), part_load(t + at, lanes)));
           // near^2 / 2 up to the limit, linear beyond it: near * (d - near / 2) is both.
           const v16 near = v_min(d, limit);
           sum = v_add(sum, v_mul(near, v_sub(d, v_mul(half, near)))););
    ((f32 *)loss)[r] = v_sum(sum) / (f32)cols;
  }
}

/** dy = (y - t limited to [-delta, delta]) * (1 / cols * scale). In place allowed. */
KERNEL(huberBackward, PTR y, PTR targets, PTR dy, I32 rows, I32 cols, F32 delta, F32 scale) {
  const f32 *x = y, *t = targets;
  f32 *out = dy;
  const v16 factor = v_set(1 / (f32)cols * scale), limit = v_set(delta);
  BLOCKS(rows * cols, const v16 d = v_sub(part_load(x + at, lanes), part_load(t + at, lanes));
         const v16 clamped = v_max(v_neg(limit), v_min(limit, d));
         part_store(out + at, v_mul(clamped, factor), lanes););
}

/**
 * loss = (sum of ln(1 + e^-|z|) + (max(z, 0) - z * t) along the row) / cols, correct = the share of the elements for which
 * z > 0 equals t > 1/2
 */
KERNEL(binaryCrossEntropyForward, PTR logits, PTR targets, PTR loss, PTR correct, I32 rows, I32 cols) {
  const v16 one = v_set(1), half = v_set(0.5f);
  for (i32 r = 0; r < rows; r++) {
    const f32 *x = (const f32 *)logits + r * cols, *t = (const f32 *)targets + r * cols;
    v16 sum = v_zero(), right = v_zero();
    BLOCKS_LONG(cols, const v16 z = part_load(x + at, lanes), target = part_load(t + at, lanes);
                const v16 tail = v_log(v_add(one, v_exp(v_neg(v_abs(z)))));
                const v16 term = v_add(tail, v_fma(v_neg(z), target, v_max(z, v_zero())));
                const v16 predicted = v_select(v_gt(z, v_zero()), one, v_zero());
                const v16 actual = v_select(v_gt(target, half), one, v_zero());
                sum = part_or(v_add(sum, term), sum, lanes);
                right = part_or(v_add(right, v_select(v_eq(predicted, actual), one, v_zero())), right, lanes););
    ((f32 *)loss)[r] = v_sum(sum) / (f32)cols;
    ((f32 *)correct)[r] = v_sum(right) / (f32)cols;
  }
}

/** dlogits = (sigmoid(z) - t) * (1 / cols * scale). In place allowed. */
KERNEL(binaryCrossEntropyBackward, PTR logits, PTR targets, PTR dlogits, I32 rows, I32 cols, F32 scale) {
  const f32 *x = logits, *t = targets;
  f32 *out = dlogits;
  const v16 factor = v_set(1 / (f32)cols * scale);
  BLOCKS_LONG(rows * cols, const v16 d = v_sub(v_sigmoid(part_load(x + at, lanes)), part_load(t + at, lanes));
              part_store(out + at, v_mul(d, factor), lanes););
}
