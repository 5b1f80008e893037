/**
 * Layer normalisation: every row is normalised to mean 0 and variance 1, then scaled and shifted column by column.
 *
 *     h = (x - mean) * inverse      mean = sum x / cols      inverse = 1 / sqrt(sum (x - mean)^2 / cols + epsilon)
 *     y = fma(h, gamma, beta)
 *
 * Sums along a row have 16 lanes, as in rows.c; sums over rows follow the canonical tree, as in tree.c.
 */
#include "kernel.h"
#include "lanes.h"

/** Mean and inverse standard deviation of a row. */
typedef struct {
  f32 mean, inverse;
} Statistics;

/** statistics[r] = {mean, inverse} of row r, for the backward pass. In place allowed. */
KERNEL(layerNormalizationForward, PTR x, PTR gamma, PTR beta, PTR y, PTR statistics, I32 rows, I32 cols, F32 epsilon) {
  const f32 *scale = gamma, *shift = beta;
  for (i32 r = 0; r < rows; r++) {
    const f32 *in = (const f32 *)x + (isize)r * cols;
    f32 *out = (f32 *)y + (isize)r * cols;
    v16 sum = v_zero(), squares = v_zero();
    BLOCKS(cols, sum = v_add(sum, part_load(in + at, lanes)););
    const f32 mean = v_sum(sum) / (f32)cols;
    const v16 middle = v_set(mean);
    BLOCKS(cols, const v16 d = part_or(v_sub(part_load(in + at, lanes), middle), v_zero(), lanes);
           squares = v_fma(d, d, squares););
    const f32 inverse = 1 / f32_sqrt(v_sum(squares) / (f32)cols + epsilon);
    const v16 factor = v_set(inverse);
    BLOCKS(cols, const v16 h = v_mul(v_sub(part_load(in + at, lanes), middle), factor);
           part_store(out + at, v_fma(h, part_load(scale + at, lanes), part_load(shift + at, lanes)), lanes););
    ((Statistics *)statistics)[r] = (Statistics){mean, inverse};
  }
}

/**
 * dx = inverse * (g - sum g / cols - h * (sum g h / cols)) with g = dy * gamma; the last product fused. dx may be dy.
 */
KERNEL(layerNormalizationBackward, PTR x, PTR statistics, PTR gamma, PTR dy, PTR dx, I32 rows, I32 cols) {
  const f32 *scale = gamma;
  for (i32 r = 0; r < rows; r++) {
    const f32 *in = (const f32 *)x + (isize)r * cols, *slope = (const f32 *)dy + (isize)r * cols;
    f32 *out = (f32 *)dx + (isize)r * cols;
    const Statistics of = ((const Statistics *)statistics)[r];
    const v16 middle = v_set(of.mean), factor = v_set(of.inverse);
    v16 sum = v_zero(), product = v_zero();
    BLOCKS(cols, const v16 h = v_mul(v_sub(part_load(in + at, lanes), middle), factor);
           const v16 g = v_mul(part_load(slope + at, lanes), part_load(scale + at, lanes)); sum = v_add(sum, g);
           product = v_fma(g, h, product););
    const v16 mean = v_set(v_sum(sum) / (f32)cols), share = v_set(-(v_sum(product) / (f32)cols));
    BLOCKS(cols, const v16 h = v_mul(v_sub(part_load(in + at, lanes), middle), factor);
           const v16 g = v_mul(part_load(slope + at, lanes), part_load(scale + at, lanes));
           part_store(out + at, v_mul(factor, v_fma(h, share, v_sub(g, mean))), lanes););
  }
}

/** Vectors of a row that are processed at once. */
#define SCALE_VECS 8

/** The tree of `vecs` vectors of columns, `lanes` of them in each; see treeSumRows. */
INLINE void tree_scale(const i32 vecs, i32 lanes, const f32 *x, const Statistics *of, const f32 *dy, f32 *out,
                       i32 rows, i32 row, i32 leaf_rows, f32 *pending) {
  v16 acc[SCALE_VECS];
  i32 r = 0;
  for (u32 leaf = 0;; leaf++) {
    const i32 end = rows - r < leaf_rows ? rows : r + leaf_rows;
    for (i32 j = 0; j < vecs; j++) acc[j] = v_zero();
    for (; r < end; r++) {
      const v16 mean = v_set(of[r].mean), inverse = v_set(of[r].inverse);
      for (i32 j = 0; j < vecs; j++) {
        const isize at = (isize)r * row + j * 16;
        const v16 h = v_mul(v_sub(part_load(x + at, lanes), mean), inverse);
        acc[j] = v_fma(part_load(dy + at, lanes), h, acc[j]);
      }
    }
    u32 level = 0;
    // The last leaf merges with all pending subtrees: a node without a right sibling is its own parent.
    for (; r == rows ? leaf >> level != 0 : leaf >> level & 1; level++)
      if (leaf >> level & 1)
        for (i32 j = 0; j < vecs; j++) acc[j] = v_add(v_load(pending + (level * SCALE_VECS + j) * 16), acc[j]);
    if (r == rows) break;
    for (i32 j = 0; j < vecs; j++) v_store(pending + (level * SCALE_VECS + j) * 16, acc[j]);
  }
  for (i32 j = 0; j < vecs; j++) part_store(out + j * 16, acc[j], lanes);
}

/** Gradient of gamma: out[c] = tree over leaves of the sum over r of fma(dy[r, c], h[r, c], .). */
KERNEL(treeLayerNormalizationScale, PTR x, PTR statistics, PTR dy, PTR out, I32 rows, I32 cols, I32 leafRows) {
  const f32 *in = x, *slope = dy;
  f32 *to = out, *pending = (f32 *)thread->workspace;
  i32 c = 0;
  for (; cols - c >= SCALE_VECS * 16; c += SCALE_VECS * 16)
    tree_scale(SCALE_VECS, 16, in + c, statistics, slope + c, to + c, rows, cols, leafRows, pending);
  for (; c < cols; c += 16) {
    const i32 lanes = cols - c < 16 ? cols - c : 16;
    tree_scale(1, lanes, in + c, statistics, slope + c, to + c, rows, cols, leafRows, pending);
  }
}
