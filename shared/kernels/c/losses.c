/**
 * Losses. Forward kernels write one loss per row, and in `correct` 1 if the largest output and the largest target are in
 * the same column, else 0 (the first of equal ones counts). Backward kernels write the gradient of scale * loss. Sums along a
 * row as in rows.c.
 */
#include "kernel.h"
#include "math.h"
#include "softmax.h"

/** Whether column `label` holds the first of the largest elements `top` of the row. */
INLINE f32 is_first_max(const f32 *x, f32 top, u32 label) {
  return x[label] == top && row_find(x, (i32)label, top) == (i32)label ? 1 : 0;
}

/** Whether the first largest element is in the same column of both rows. */
INLINE f32 have_same_max(const f32 *a, f32 top, const f32 *b, i32 cols) {
  const i32 column = row_find(b, cols, row_max(b, cols));
  return column < cols ? is_first_max(a, top, (u32)column) : 0;
}

/** Rows whose logarithms are computed together. */
#define ROW_GROUP 16

/** Sum of top - x along the row. */
INLINE f32 row_distance(const f32 *x, f32 top, i32 cols) {
  const v16 shift = v_set(top);
  v16 sum = v_zero();
  BLOCKS(cols, sum = v_add(sum, part_or(v_sub(shift, part_load(x + at, lanes)), v_zero(), lanes)););
  return v_sum(sum);
}

/**
 * probabilities = softmax(logits), loss = ln s + d with s the sum in softmax and d = max - logits[label]; with a smoothing
 * e > 0, d = (1 - e) * (max - logits[label]) + e / cols * the sum of (max - logits) along the row. A label that is not a
 * column: loss NaN, correct 0. The label `ignored`: loss and correct 0. counted (may be NULL) is 0 for such rows, 1 for
 * others. probabilities may be logits.
 */
KERNEL(softmaxCrossEntropySparseForward, PTR logits, PTR labels, PTR probabilities, PTR loss, PTR correct, PTR counted,
       I32 rows, I32 cols, F32 smoothing, I32 ignored) {
  const f32 kept = 1 - smoothing, share = smoothing / (f32)cols;
  for (i32 from = 0; from < rows; from += ROW_GROUP) {
    const i32 n = rows - from < ROW_GROUP ? rows - from : ROW_GROUP;
    f32 total[ROW_GROUP], distance[ROW_GROUP];
    for (i32 i = 0; i < n; i++) {
      const f32 *x = (const f32 *)logits + (from + i) * cols;
      const u32 label = ((const u32 *)labels)[from + i];
      const i32 is_column = label < (u32)cols && label != (u32)ignored;
      const f32 top = row_max(x, cols);
      distance[i] = is_column ? top - x[label] : __builtin_nanf("");
      if (smoothing > 0) distance[i] = kept * distance[i] + share * row_distance(x, top, cols);
      ((f32 *)correct)[from + i] = is_column ? is_first_max(x, top, label) : 0;
      total[i] = softmax_row(x, (f32 *)probabilities + (from + i) * cols, cols, top);
    }
    v_store_n((f32 *)loss + from, v_add(v_log(v_load_n(total, n)), v_load_n(distance, n)), n);
    for (i32 i = from; i < from + n; i++) {
      const i32 is_ignored = ((const i32 *)labels)[i] == ignored;
      if (is_ignored) ((f32 *)loss)[i] = 0;
      if (counted) ((f32 *)counted)[i] = is_ignored ? 0 : 1;
    }
  }
}

/** dlogits = (p - e / cols - (1 - e) * onehot) * scale, 0 in rows of the label `ignored`. In place allowed. */
KERNEL(softmaxCrossEntropySparseBackward, PTR probabilities, PTR labels, PTR dlogits, I32 rows, I32 cols, F32 scale,
       F32 smoothing, I32 ignored) {
  const f32 kept = 1 - smoothing, share = smoothing / (f32)cols;
  for (i32 r = 0; r < rows; r++) {
    const f32 *p = (const f32 *)probabilities + r * cols;
    f32 *out = (f32 *)dlogits + r * cols;
    const u32 label = ((const u32 *)labels)[r];
    const i32 is_ignored = label == (u32)ignored, is_column = label < (u32)cols && !is_ignored;
    const f32 at_label = is_column ? (p[label] - share - kept) * scale : 0;
    const v16 factor = v_set(is_ignored ? 0 : scale), less = v_set(share);
    BLOCKS(cols, part_store(out + at, v_mul(v_sub(part_load(p + at, lanes), less), factor), lanes););
    if (is_column) out[label] = at_label;
  }
}

/**
 * probabilities = softmax(logits), loss = sum of fma(t, ln s + (max - logits), .) along the row, s the sum in softmax.
 * Not in place.
 */
KERNEL(softmaxCrossEntropyForward, PTR logits, PTR targets, PTR probabilities, PTR loss, PTR correct, I32 rows,
       I32 cols) {
  for (i32 from = 0; from < rows; from += ROW_GROUP) {
    const i32 n = rows - from < ROW_GROUP ? rows - from : ROW_GROUP;
    f32 total[ROW_GROUP], top[ROW_GROUP], log_total[ROW_GROUP];
    for (i32 i = 0; i < n; i++) {
      const f32 *x = (const f32 *)logits + (from + i) * cols;
      top[i] = row_max(x, cols);
      total[i] = softmax_row(x, (f32 *)probabilities + (from + i) * cols, cols, top[i]);
    }
    v_store_n(log_total, v_log(v_load_n(total, n)), n);
    for (i32 i = 0; i < n; i++) {
      const f32 *x = (const f32 *)logits + (from + i) * cols, *t = (const f32 *)targets + (from + i) * cols;
      const v16 shift = v_set(top[i]), log_sum = v_set(log_total[i]);
      v16 sum = v_zero();
      BLOCKS(cols, const v16 surprisal = v_add(log_sum, v_sub(shift, part_load(x + at, lanes)));
             sum = part_or(v_fma(part_load(t + at, lanes), surprisal, sum), sum, lanes););
      ((f32 *)loss)[from + i] = v_sum(sum);
      ((f32 *)correct)[from + i] = have_same_max(x, top[i], t, cols);
    }
  }
}

/** dlogits = fma(p, sum of t along the row, -t) * scale. In place allowed (dlogits is probabilities). */
KERNEL(softmaxCrossEntropyBackward, PTR probabilities, PTR targets, PTR dlogits, I32 rows, I32 cols, F32 scale) {
  const v16 factor = v_set(scale);
  for (i32 r = 0; r < rows; r++) {
    const f32 *p = (const f32 *)probabilities + r * cols, *t = (const f32 *)targets + r * cols;
    f32 *out = (f32 *)dlogits + r * cols;
    v16 sum = v_zero();
    BLOCKS(cols, sum = v_add(sum, part_load(t + at, lanes)););
    const v16 mass = v_set(v_sum(sum));
    BLOCKS(cols, const v16 error = v_fma(part_load(p + at, lanes), mass, v_neg(part_load(t + at, lanes)));
           part_store(out + at, v_mul(error, factor), lanes););
  }
}

/** p limited to [1e-7, 1 - 1e-7], as in Keras; NaN stays NaN. */
INLINE v16 clip_probability(v16 p) { return v_min(v_set(0x1.fffffcp-1f), v_max(v_set(1e-7f), p)); }

/** loss = 0 - sum of fma(t, ln p, .) along the row, p clipped. */
KERNEL(crossEntropyForward, PTR p, PTR targets, PTR loss, PTR correct, I32 rows, I32 cols) {
  for (i32 r = 0; r < rows; r++) {
    const f32 *x = (const f32 *)p + r * cols, *t = (const f32 *)targets + r * cols;
    v16 sum = v_zero();
    BLOCKS_LONG(cols, const v16 term = v_log(clip_probability(part_load(x + at, lanes)));
           sum = part_or(v_fma(part_load(t + at, lanes), term, sum), sum, lanes););
    ((f32 *)loss)[r] = 0 - v_sum(sum);
    ((f32 *)correct)[r] = have_same_max(x, row_max(x, cols), t, cols);
  }
}

/** dp = t / p * -scale, p clipped. Not 0 outside of the bounds, so that a saturated output can recover. */
KERNEL(crossEntropyBackward, PTR p, PTR targets, PTR dp, I32 rows, I32 cols, F32 scale) {
  const f32 *x = p, *t = targets;
  f32 *out = dp;
  const v16 factor = v_set(-scale);
  BLOCKS(rows * cols, const v16 ratio = v_div(part_load(t + at, lanes), clip_probability(part_load(x + at, lanes)));
         part_store(out + at, v_mul(ratio, factor), lanes););
}

/** loss = (sum of fma(d, d, .) along the row) / cols, d = y - t */
KERNEL(meanSquaredErrorForward, PTR y, PTR targets, PTR loss, I32 rows, I32 cols) {
  for (i32 r = 0; r < rows; r++) {
    const f32 *x = (const f32 *)y + r * cols, *t = (const f32 *)targets + r * cols;
    v16 sum = v_zero();
    BLOCKS(cols, const v16 d = v_sub(part_load(x + at, lanes), part_load(t + at, lanes));
           sum = v_fma(d, d, sum););
    ((f32 *)loss)[r] = v_sum(sum) / (f32)cols;
  }
}

/** dy = (y - t) * (2 / cols * scale). In place allowed. */
KERNEL(meanSquaredErrorBackward, PTR y, PTR targets, PTR dy, I32 rows, I32 cols, F32 scale) {
  const f32 *x = y, *t = targets;
  f32 *out = dy;
  const v16 factor = v_set(2 / (f32)cols * scale);
  BLOCKS(rows * cols, const v16 d = v_sub(part_load(x + at, lanes), part_load(t + at, lanes));
         part_store(out + at, v_mul(d, factor), lanes););
}
