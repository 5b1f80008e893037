/** Tiles of the weight gradient of a convolution: how results are added to one tile. See convolution-weights.c. */
#pragma once
#include "tile.h"
#include "windows.h"

/** Largest number of spans in a row of results for which tiles have rows of several taps. */
#define MIXED_SPANS 24
#define NODE_FLOATS (PACKED_ROWS * TILE_COLS)

/** The whole sum. */
typedef struct {
  const f32 *x, *dy;
  f32 *dw;
  i32 rows, in_channels, out_channels, groups, leaf;
  Axis y, x_axis;
  /** Whether a tile has rows of several taps; only then the spans of a row of results are set. */
  i32 is_mixed, span_count;
  Span spans[MIXED_SPANS];
} WeightSum;

/** The columns col..col_end-1 of the output rows row..row_end-1, numbered through all samples; all of one leaf. */
typedef struct {
  i32 row, row_end, col, col_end;
  /** The strip of dy, for one panel of columns. */
  const f32 *dy;
  isize dy_pixel;
} Strip;

/** Rows m..m+rows-1 of dw seen as a matrix [taps * channels, outputs], and TILE_COLS of its columns. */
typedef struct {
  i32 m, rows, group, col, cols;
} WeightTile;

/** One tap: the rows of the tile are neighbouring channels. */
INLINE void single_tap_chain(const i32 rows, const i32 vecs, vec acc[TILE_ROWS][TILE_VECS], const WeightSum *w,
                             const WeightTile *t, const Strip *s) {
  i32 channels = w->in_channels / w->groups, tap = t->m / channels;
  const Axis *y = &w->y, *x = &w->x_axis;
  i32 place_y = y->first + tap / x->taps * y->dilation, place_x = x->first + tap % x->taps * x->dilation;
  // Columns that read inside of the image.
  i32 from = place_x < 0 ? (x->stride - 1 - place_x) / x->stride : 0;
  i32 to = place_x < x->size ? (x->size - 1 - place_x) / x->stride + 1 : 0;
  from = larger(from, s->col);
  to = smaller(to, s->col_end);
  i32 sample = s->row / y->count, row = s->row % y->count;
  const f32 *base = w->x + t->group * channels + t->m % channels;
  const f32 *dy = s->dy + (from - s->col) * s->dy_pixel;
  for (i32 r = s->row; r < s->row_end; r++, dy += (s->col_end - s->col) * s->dy_pixel) {
    i32 iy = place_y + row * y->stride;
    if ((u32)iy < (u32)y->size && from < to) {
      isize place = ((isize)sample * y->size + iy) * x->size + place_x + from * x->stride;
      tile_chain(rows, vecs, 0, acc, base + place * w->in_channels, (isize)x->stride * w->in_channels, dy, s->dy_pixel,
                 to - from);
    }
    if (++row == y->count) {
      row = 0;
      sample++;
    }
  }
}

/** Rows of a tile of several taps: the tap of each, and the offset of its factor. */
typedef struct {
  i32 tap_y[TILE_ROWS], tap_x[TILE_ROWS];
  isize at[TILE_ROWS];
} TapRows;

/** The rows of the tile to which a span of results contributes: those whose tap it reads. */
INLINE u32 tap_mask(const i32 *taps, i32 rows, const Span *span) {
  u32 mask = 0;
  for (i32 i = 0; i < rows; i++)
    if (taps[i] >= span->tap && taps[i] < span->tap_end) mask |= 1u << i;
  return mask;
}

/** `count` results of one row of the image; rows of the tile that are not in the mask are skipped. */
INLINE void mixed_run(const i32 rows, const i32 vecs, vec acc[TILE_ROWS][TILE_VECS], const isize *at, const f32 *x,
                      isize step, const f32 *dy, isize dy_pixel, i32 count, u32 mask) {
  if (mask == (1u << rows) - 1)
    for (i32 k = 0; k < count; k++, x += step, dy += dy_pixel) {
      vec row[TILE_VECS];
      UNROLL for (i32 j = 0; j < vecs; j++) row[j] = x_load(dy + j * LANES);
      UNROLL for (i32 i = 0; i < rows; i++) {
        vec factor = x_set(x[at[i]]);
        UNROLL for (i32 j = 0; j < vecs; j++) acc[i][j] = x_fma(factor, row[j], acc[i][j]);
      }
    }
  else
    for (i32 k = 0; k < count; k++, x += step, dy += dy_pixel) {
      vec row[TILE_VECS];
      UNROLL for (i32 j = 0; j < vecs; j++) row[j] = x_load(dy + j * LANES);
      UNROLL for (i32 i = 0; i < rows; i++)
        if (mask >> i & 1) {
          vec factor = x_set(x[at[i]]);
          UNROLL for (i32 j = 0; j < vecs; j++) acc[i][j] = x_fma(factor, row[j], acc[i][j]);
        }
    }
}

/** Several taps: each row of the tile reads its own positions. Missing columns are +0 in the strip. */
INLINE void mixed_chain(const i32 rows, const i32 vecs, vec acc[TILE_ROWS][TILE_VECS], const WeightSum *w,
                        const WeightTile *t, const Strip *s) {
  i32 channels = w->in_channels / w->groups;
  const Axis *y = &w->y, *x = &w->x_axis;
  TapRows taps;
  for (i32 i = 0; i < rows; i++) {
    i32 tap = (t->m + i) / channels;
    taps.tap_y[i] = tap / x->taps;
    taps.tap_x[i] = tap % x->taps;
    isize place = (isize)taps.tap_y[i] * y->dilation * x->size + (isize)taps.tap_x[i] * x->dilation;
    taps.at[i] = place * w->in_channels + t->group * channels + (t->m + i) % channels;
  }
  u32 masks[MIXED_SPANS];
  for (i32 i = 0; i < w->span_count; i++) masks[i] = tap_mask(taps.tap_x, rows, &w->spans[i]);
  i32 sample = s->row / y->count, row = s->row % y->count;
  const f32 *dy = s->dy;
  for (i32 r = s->row; r < s->row_end; r++, dy += (s->col_end - s->col) * s->dy_pixel) {
    const Span here = axis_taps(y, row);
    u32 mask = tap_mask(taps.tap_y, rows, &here);
    isize place = ((isize)sample * y->size + y->first + row * y->stride) * x->size + x->first;
    for (i32 i = 0; i < w->span_count; i++) {
      i32 from = larger(w->spans[i].from, s->col), to = smaller(w->spans[i].to, s->col_end);
      if (from < to)
        mixed_run(rows, vecs, acc, taps.at, w->x + (place + from * x->stride) * w->in_channels,
                  (isize)x->stride * w->in_channels, dy + (from - s->col) * s->dy_pixel, s->dy_pixel, to - from,
                  mask & masks[i]);
    }
    if (++row == y->count) {
      row = 0;
      sample++;
    }
  }
}

/** The partial sums of a tile: its chain in the workspace, followed by a node for each level of the tree. */
typedef struct {
  f32 *chain;
  i32 leaf, begins, ends, is_last;
} Accumulator;

/** Adds one strip to a tile. */
INLINE void weight_tile(const i32 rows, const i32 vecs, const i32 mixed, const WeightSum *w, const WeightTile *t,
                        const Strip *s, const Accumulator *a) {
  vec acc[TILE_ROWS][TILE_VECS];
  if (a->begins)
    tile_clear(rows, vecs, acc);
  else
    UNROLL for (i32 i = 0; i < rows; i++)
      UNROLL for (i32 j = 0; j < vecs; j++) acc[i][j] = x_load(a->chain + i * TILE_COLS + j * LANES);
  if (mixed)
    mixed_chain(rows, vecs, acc, w, t, s);
  else
    single_tap_chain(rows, vecs, acc, w, t, s);
  UNROLL for (i32 i = 0; i < rows; i++)
    UNROLL for (i32 j = 0; j < vecs; j++) x_store(a->chain + i * TILE_COLS + j * LANES, acc[i][j]);
}

#define WEIGHT_TILE(rows)                                                                           \
  static __attribute__((noinline)) void weight_tile_##rows(const WeightSum *w, const WeightTile *t, \
                                                           const Strip *s, const Accumulator *a) {  \
    if (w->is_mixed) {                                                                              \
      weight_tile(rows, TILE_VECS, 1, w, t, s, a);                                                  \
    } else {                                                                                        \
      WITH_VECS(vecs_of(t->cols), weight_tile, rows, 0, w, t, s, a);                                \
    }                                                                                               \
  }
EACH_TILE_ROWS(WEIGHT_TILE)

static void run_weight_tile(const WeightSum *w, const WeightTile *t, const Strip *s, const Accumulator *a) {
#define CASE(n)                  \
  case n:                        \
    weight_tile_##n(w, t, s, a); \
    break;
  switch (t->rows) { EACH_TILE_ROWS(CASE) }
#undef CASE
}

/** Merges the finished leaf of a tile with the pending subtrees; after the last leaf the sum is written to dw. */
static void close_leaf(const WeightSum *w, const WeightTile *t, const Accumulator *a) {
  i32 floats = t->rows * TILE_COLS;
  u32 leaf = (u32)a->leaf, level = 0;
  f32 *pending = a->chain + NODE_FLOATS;
  // The last leaf merges with all pending subtrees: a node without a right sibling is its own parent.
  for (; a->is_last ? leaf >> level != 0 : leaf >> level & 1; level++, pending += NODE_FLOATS)
    if (leaf >> level & 1)
      for (i32 at = 0; at < floats; at += LANES)
        x_store(a->chain + at, x_add(x_load(pending + at), x_load(a->chain + at)));
  if (!a->is_last) {
    for (i32 at = 0; at < floats; at += LANES) x_store(pending + at, x_load(a->chain + at));
    return;
  }
  f32 *out = w->dw + (isize)t->m * w->out_channels + t->col;
  for (i32 i = 0; i < t->rows; i++, out += w->out_channels)
    for (i32 col = 0; col < t->cols; col += LANES) {
      i32 lanes = smaller(LANES, t->cols - col);
      x_store_n(out + col, x_load(a->chain + i * TILE_COLS + col), lanes);
    }
}
