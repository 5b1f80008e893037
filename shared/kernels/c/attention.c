/**
 * Scaled dot-product attention (Vaswani et al., "Attention is all you need", 2017), for each sample and head:
 *
 *     s = q k^T      p = softmax along the keys of s / sqrt(size)      out = p v
 *
 * q [queries, size], k and v [keys, size]. With causal attention query t sees the keys 0 .. t; `mask`, one number for each
 * key of a sample, hides the keys where it is 0. Hidden keys have p = 0; a query without visible keys has p = 0 everywhere.
 *
 * Products are chains of fused multiply-adds over the inner index, ascending from +0, as in products.c. Queries (in sums
 * over queries, keys) are processed in aligned blocks of 16: with a causal mask a block leaves out the keys after its last
 * query (the queries before its first key). Such terms are +-0, but they would change a chain that has underflowed to -0;
 * so the blocks are part of the definition, and do not depend on the tile size.
 */
#include "math.h"
#include "pack.h"
#include "product-tile.h"

#define ATTENTION_BLOCK 16

/** One operand of all heads: rows of a sample lie `pitch` apart, the heads of a row are contiguous. */
typedef struct {
  f32 *data;
  isize pitch;
} Heads;

/** The arguments that all kernels here share. */
typedef struct {
  i32 heads, queries, keys, size, causal;
  const f32 *mask;
  f32 scale;
} Attention;

INLINE f32 *head_of(Heads of, i32 rows, const Attention *a, i32 sample, i32 head) {
  return of.data + sample * rows * of.pitch + head * a->size;
}
INLINE i32 block_end(i32 total, i32 from) {
  return total - from < ATTENTION_BLOCK ? total : from + ATTENTION_BLOCK;
}
/** End of the keys for the block of queries that starts at `query`; first query for the block of keys that starts at `key`. */
INLINE i32 keys_end(const Attention *a, i32 query) { return a->causal ? block_end(a->keys, query) : a->keys; }
INLINE i32 queries_start(const Attention *a, i32 key) { return a->causal ? key : 0; }

/** A matrix [deep, cols] copied in panels of TILE_COLS columns, `panel` floats each. */
typedef struct {
  const f32 *panels;
  isize panel;
} Packed;

static Packed pack_matrix(f32 *to, const f32 *from, isize pitch, i32 deep, i32 cols) {
  const isize panel = (isize)deep * TILE_COLS;
  for (i32 c = 0; c < cols; c += TILE_COLS)
    pack_rows(to + c / TILE_COLS * panel, from + c, pitch, cols - c < TILE_COLS ? cols - c : TILE_COLS, deep);
  return (Packed){to, panel};
}
/** The same for a transposed matrix, [cols, deep]. */
static Packed pack_matrix_transposed(f32 *to, const f32 *from, isize pitch, i32 deep, i32 cols) {
  const isize panel = (isize)deep * TILE_COLS;
  for (i32 c = 0; c < cols; c += TILE_COLS)
    pack_transposed(to + c / TILE_COLS * panel, TILE_COLS, from + c * pitch, pitch,
                    cols - c < TILE_COLS ? cols - c : TILE_COLS, deep);
  return (Packed){to, panel};
}

/** out[i, c] = sum over k < deep of a(i, k) b[first + k, c]; a(i, k) = a[i * a_row + k * a_step], one of them 1. */
static void block_product(const f32 *a, isize a_row, isize a_step, i32 rows, Packed b, i32 first, i32 deep, f32 *out,
                          isize pitch, i32 cols) {
  const i32 tiles = part_count(rows, TILE_ROWS);
  for (i32 c = 0; c < cols; c += TILE_COLS)
    for (i32 t = 0; t < tiles; t++) {
      const i32 r = part_start(rows, tiles, t);
      const f32 *panel = b.panels + c / TILE_COLS * b.panel + first * TILE_COLS;
      const Factors f = {a + r * a_row, a_row, a_step, panel, TILE_COLS, deep, 0, 0};
      const Sink s = {out + r * pitch + c, pitch, cols - c < TILE_COLS ? cols - c : TILE_COLS, 0, 0, 0};
      run_product_tile(part_start(rows, tiles, t + 1) - r, &f, &s);
    }
}

/** The visible lanes of the keys from `at` on, for a query that may see the first `visible` keys. */
INLINE m16 visible_lanes(const f32 *mask, i32 at, i32 lanes, i32 visible) {
  const i32 left = visible - at;
  const m16 before = m_first(left < 0 ? 0 : left < lanes ? left : lanes);
  return mask ? m_and(before, m_not(v_eq(part_load(mask + at, lanes), v_zero()))) : before;
}

/** Turns scores into probabilities, in place. The first `end` scores are set; the first `visible` keys may be seen. */
static void attention_row(f32 *s, const Attention *a, i32 visible, i32 end) {
  const v16 lowest = v_set(-INFINITY_F32);
  v16 most = lowest, sum = v_zero();
  BLOCKS(end, most = v_max(most, v_select(visible_lanes(a->mask, at, lanes, visible), part_load(s + at, lanes), lowest)););
  const f32 top = v_reduce_max(most);
  // -infinity: no key is visible, or all visible scores are NaN, which the sum then shows.
  const v16 shift = v_set(top == -INFINITY_F32 ? 0 : top), factor = v_set(a->scale);
  BLOCKS_LONG(end, const v16 e = v_exp(v_mul(v_sub(part_load(s + at, lanes), shift), factor));
              const v16 shown = v_select(visible_lanes(a->mask, at, lanes, visible), e, v_zero());
              sum = v_add(sum, shown);
              part_store(s + at, shown, lanes);)
  const f32 total = v_sum(sum);
  const v16 inverse = v_set(total == 0 ? 0 : 1 / total);
  BLOCKS(end, part_store(s + at, v_mul(part_load(s + at, lanes), inverse), lanes););
  BLOCKS(a->keys - end, part_store(s + end + at, v_zero(), lanes););
}

/** Replaces probabilities by the error terms of the dot products, given the error terms of the probabilities. */
static void attention_row_backward(f32 *p, const f32 *dp, i32 end, f32 scale) {
  v16 sum = v_zero();
  BLOCKS(end, sum = v_fma(part_load(p + at, lanes), part_load(dp + at, lanes), sum););
  const v16 mean = v_set(v_sum(sum)), factor = v_set(scale);
  BLOCKS(end, const v16 slope = v_mul(v_sub(part_load(dp + at, lanes), mean), factor);
         part_store(p + at, v_mul(part_load(p + at, lanes), slope), lanes););
}

static void attend(const Attention *a, const f32 *q, isize q_pitch, const f32 *k, const f32 *v, isize kv_pitch, f32 *p,
                   f32 *out, isize out_pitch, f32 *workspace) {
  const Packed keys = pack_matrix_transposed(workspace, k, kv_pitch, a->size, a->keys);
  for (i32 from = 0; from < a->queries; from += ATTENTION_BLOCK) {
    const i32 rows = block_end(a->queries, from) - from, end = keys_end(a, from);
    f32 *scores = p + (isize)from * a->keys;
    block_product(q + from * q_pitch, q_pitch, 1, rows, keys, 0, a->size, scores, a->keys, end);
    for (i32 i = 0; i < rows; i++)
      attention_row(scores + (isize)i * a->keys, a, a->causal ? from + i + 1 : end, end);
  }
  const Packed values = pack_matrix(workspace, v, kv_pitch, a->keys, a->size);
  for (i32 from = 0; from < a->queries; from += ATTENTION_BLOCK)
    block_product(p + (isize)from * a->keys, a->keys, 1, block_end(a->queries, from) - from, values, 0,
                  keys_end(a, from), out + from * out_pitch, out_pitch, a->size);
}

/**
 * out [rows, queries, heads * size]. q, k and v have rows of the same width, qPitch (kPitch for k and v) floats apart.
 * probabilities [rows, heads, queries, keys] is kept for the backward pass. mask [rows, keys] or none.
 */
KERNEL(attentionForward, PTR q, PTR k, PTR v, PTR mask, PTR probabilities, PTR out, I32 rows, I32 heads, I32 queries,
       I32 keys, I32 size, I32 qPitch, I32 kPitch, I32 causal) {
  Attention a = {heads, queries, keys, size, causal, mask, 1 / f32_sqrt((f32)size)};
  const Heads from_q = {q, qPitch}, from_k = {k, kPitch}, from_v = {v, kPitch}, to = {out, (isize)heads * size};
  f32 *p = probabilities;
  for (i32 r = 0; r < rows; r++) {
    for (i32 h = 0; h < heads; h++, p += (isize)queries * keys)
      attend(&a, head_of(from_q, queries, &a, r, h), qPitch, head_of(from_k, keys, &a, r, h),
             head_of(from_v, keys, &a, r, h), kPitch, p, head_of(to, queries, &a, r, h), to.pitch,
             (f32 *)thread->workspace);
    if (mask) a.mask += keys;
  }
}

/** dv = p^T dout; then p is replaced by ds, the error terms of the dot products. */
static void attend_values_backward(const Attention *a, const f32 *v, f32 *dv, isize kv_pitch, f32 *p, const f32 *dout,
                                   isize out_pitch, f32 *workspace) {
  if (dv) {
    const Packed slopes = pack_matrix(workspace, dout, out_pitch, a->queries, a->size);
    for (i32 from = 0; from < a->keys; from += ATTENTION_BLOCK) {
      const i32 start = queries_start(a, from);
      block_product(p + (isize)start * a->keys + from, 1, a->keys, block_end(a->keys, from) - from, slopes, start,
                    a->queries - start, dv + from * kv_pitch, kv_pitch, a->size);
    }
  }
  f32 *dp = workspace, *panels = dp + (isize)ATTENTION_BLOCK * a->keys;
  const Packed values = pack_matrix_transposed(panels, v, kv_pitch, a->size, a->keys);
  for (i32 from = 0; from < a->queries; from += ATTENTION_BLOCK) {
    const i32 rows = block_end(a->queries, from) - from, end = keys_end(a, from);
    block_product(dout + from * out_pitch, out_pitch, 1, rows, values, 0, a->size, dp, a->keys, end);
    for (i32 i = 0; i < rows; i++)
      attention_row_backward(p + (isize)(from + i) * a->keys, dp + (isize)i * a->keys, end, a->scale);
  }
}

/** dq = ds k, dk = ds^T q; each one that is not NULL. */
static void attend_scores_backward(const Attention *a, const f32 *q, f32 *dq, isize q_pitch, const f32 *k, f32 *dk,
                                   isize kv_pitch, const f32 *ds, f32 *workspace) {
  if (dq) {
    const Packed keys = pack_matrix(workspace, k, kv_pitch, a->keys, a->size);
    for (i32 from = 0; from < a->queries; from += ATTENTION_BLOCK)
      block_product(ds + (isize)from * a->keys, a->keys, 1, block_end(a->queries, from) - from, keys, 0,
                    keys_end(a, from), dq + from * q_pitch, q_pitch, a->size);
  }
  if (dk) {
    const Packed queries = pack_matrix(workspace, q, q_pitch, a->queries, a->size);
    for (i32 from = 0; from < a->keys; from += ATTENTION_BLOCK) {
      const i32 start = queries_start(a, from);
      block_product(ds + (isize)start * a->keys + from, 1, a->keys, block_end(a->keys, from) - from, queries, start,
                    a->queries - start, dk + from * kv_pitch, kv_pitch, a->size);
    }
  }
}

/**
 * Error terms: ds = p * ((dp - sum of p dp along the keys) / sqrt(size)) with dp = dout v^T, and from it dq, dk, dv, with
 * the layouts of q, k and v; dq, or dk and dv, may be none. `probabilities` is overwritten.
 */
KERNEL(attentionBackward, PTR q, PTR k, PTR v, PTR probabilities, PTR dout, PTR dq, PTR dk, PTR dv, I32 rows, I32 heads,
       I32 queries, I32 keys, I32 size, I32 qPitch, I32 kPitch, I32 causal) {
  const Attention a = {heads, queries, keys, size, causal, 0, 1 / f32_sqrt((f32)size)};
  const Heads from_q = {q, qPitch}, from_k = {k, kPitch}, from_v = {v, kPitch}, slope = {dout, (isize)heads * size};
  const Heads to_q = {dq, qPitch}, to_k = {dk, kPitch}, to_v = {dv, kPitch};
  f32 *p = probabilities, *workspace = (f32 *)thread->workspace;
  for (i32 r = 0; r < rows; r++)
    for (i32 h = 0; h < heads; h++, p += (isize)queries * keys) {
      attend_values_backward(&a, head_of(from_v, keys, &a, r, h), dv ? head_of(to_v, keys, &a, r, h) : 0, kPitch, p,
                             head_of(slope, queries, &a, r, h), slope.pitch, workspace);
      attend_scores_backward(&a, head_of(from_q, queries, &a, r, h), dq ? head_of(to_q, queries, &a, r, h) : 0, qPitch,
                             head_of(from_k, keys, &a, r, h), dk ? head_of(to_k, keys, &a, r, h) : 0, kPitch, p,
                             workspace);
    }
}
