/**
 * Kernels that work along rows. A sum over a row has 16 lanes: lane l sums the elements l, l+16, ... in ascending order
 * from +0; the lanes are summed by the fixed tree 8+8, 4+4, 2+2, 1+1 (v_sum).
 */
#include "kernel.h"
#include "math.h"
#include "softmax.h"

/** y = e^(x - max) * (1 / sum of e^(x - max) along the row). In place allowed. */
KERNEL(softmaxForward, PTR x, PTR y, I32 rows, I32 cols) {
  for (i32 r = 0; r < rows; r++) {
    const f32 *in = (const f32 *)x + r * cols;
    softmax_row(in, (f32 *)y + r * cols, cols, row_max(in, cols));
  }
}

/** dx = y * (dy - sum of fma(y, dy, .) along the row). In place allowed (dx is dy or y). */
KERNEL(softmaxBackward, PTR y, PTR dy, PTR dx, I32 rows, I32 cols) {
  for (i32 r = 0; r < rows; r++) {
    const f32 *p = (const f32 *)y + r * cols, *dp = (const f32 *)dy + r * cols;
    f32 *out = (f32 *)dx + r * cols;
    v16 sum = v_zero();
    BLOCKS(cols, sum = v_fma(part_load(p + at, lanes), part_load(dp + at, lanes), sum););
    const v16 mean = v_set(v_sum(sum));
    BLOCKS(cols, const v16 slope = v_sub(part_load(dp + at, lanes), mean);
           part_store(out + at, v_mul(part_load(p + at, lanes), slope), lanes););
  }
}

/** y = (x - max) - ln(sum of e^(x - max) along the row). In place allowed. */
KERNEL(logSoftmaxForward, PTR x, PTR y, I32 rows, I32 cols) {
  for (i32 r = 0; r < rows; r++) {
    const f32 *in = (const f32 *)x + (isize)r * cols;
    f32 *out = (f32 *)y + (isize)r * cols;
    const v16 top = v_set(row_max(in, cols));
    v16 sum = v_zero();
    BLOCKS_LONG(cols, const v16 e = v_exp_or_zero(v_sub(part_load(in + at, lanes), top));
                sum = v_add(sum, part_or(e, v_zero(), lanes)););
    const v16 total = v_log(v_set(v_sum(sum)));
    BLOCKS(cols, part_store(out + at, v_sub(v_sub(part_load(in + at, lanes), top), total), lanes););
  }
}

/** dx = fma(-e^y, sum of dy along the row, dy). In place allowed (dx is dy or y). */
KERNEL(logSoftmaxBackward, PTR y, PTR dy, PTR dx, I32 rows, I32 cols) {
  for (i32 r = 0; r < rows; r++) {
    const f32 *in = (const f32 *)y + (isize)r * cols, *slope = (const f32 *)dy + (isize)r * cols;
    f32 *out = (f32 *)dx + (isize)r * cols;
    v16 sum = v_zero();
    BLOCKS(cols, sum = v_add(sum, part_load(slope + at, lanes)););
    const v16 total = v_set(v_sum(sum));
    BLOCKS_LONG(cols, const v16 e = v_exp_or_zero(part_load(in + at, lanes));
                part_store(out + at, v_fma(v_neg(e), total, part_load(slope + at, lanes)), lanes););
  }
}

/** Row r is 1 at labels[r], 0 elsewhere; all 0 when labels[r] is not a column. */
KERNEL(oneHot, PTR labels, PTR out, I32 rows, I32 cols) {
  const v16 zero = v_zero();
  for (i32 r = 0; r < rows; r++) {
    f32 *row = (f32 *)out + r * cols;
    const u32 label = ((const u32 *)labels)[r];
    BLOCKS(cols, part_store(row + at, zero, lanes););
    if (label < (u32)cols) row[label] = 1;
  }
}
