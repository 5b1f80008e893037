/**
 * Sums over the batch, in the canonical order: rows are split into leaves of `leafRows`; inside a leaf there is ONE chain
 * over its rows from +0; leaves are combined by the aligned binary tree over their index, node(level, i) =
 * node(level-1, 2i) + node(level-1, 2i+1), where a node without a right child equals its left child.
 *
 * Leaves are computed in order, so the tree works like a binary counter: its set bits are the pending subtrees, whose right
 * siblings are not complete yet. The tile in registers is the newest subtree; the pending ones are stored in the workspace.
 */
#include "pack.h"

#define TREE_LEVELS 31
#define TREE_NODE_FLOATS (PACKED_ROWS * TILE_COLS)

/** acc = pending + acc, element by element: the left child first. */
INLINE void tree_merge(const i32 rows, const i32 vecs, vec acc[TILE_ROWS][TILE_VECS], const f32 *pending) {
  UNROLL for (i32 i = 0; i < rows; i++)
    UNROLL for (i32 j = 0; j < vecs; j++)
      acc[i][j] = x_add(x_load(pending + i * TILE_COLS + j * LANES), acc[i][j]);
}

INLINE void tree_store(const i32 rows, const i32 vecs, vec acc[TILE_ROWS][TILE_VECS], f32 *place) {
  UNROLL for (i32 i = 0; i < rows; i++)
    UNROLL for (i32 j = 0; j < vecs; j++) x_store(place + i * TILE_COLS + j * LANES, acc[i][j]);
}

/** `f` describes all rows; its tail, if any, belongs to the last leaf or the last few leaves. */
INLINE void tree_tile(const i32 rows, const i32 vecs, const Factors *f, const Sink *s, i32 leaf_rows, f32 *pending) {
  vec acc[TILE_ROWS][TILE_VECS];
  i32 all = f->count + f->tail_count;
  i32 from = 0;
  for (u32 leaf = 0;; leaf++) {
    i32 to = all - from < leaf_rows ? all : from + leaf_rows;
    tile_clear(rows, vecs, acc);
    tile_multiply(rows, vecs, 0, acc, f, from, to);
    from = to;
    u32 level = 0;
    // The last leaf merges with all pending subtrees: a node without a right sibling is its own parent.
    for (; from == all ? leaf >> level != 0 : leaf >> level & 1; level++)
      if (leaf >> level & 1) tree_merge(rows, vecs, acc, pending + level * TREE_NODE_FLOATS);
    if (from == all) break;
    tree_store(rows, vecs, acc, pending + level * TREE_NODE_FLOATS);
  }
  tile_store(rows, vecs, acc, s);
}

#define TREE_TILE(rows)                                                                                      \
  static __attribute__((noinline)) void tree_tile_##rows(const Factors *f, const Sink *s, i32 leaf, f32 *w) { \
    WITH_VECS(vecs_of(s->cols), tree_tile, rows, f, s, leaf, w);                                             \
  }
EACH_TILE_ROWS(TREE_TILE)

static void run_tree_tile(i32 rows, const Factors *f, const Sink *s, i32 leaf_rows, f32 *pending) {
#define CASE(n) \
  case n:       \
    tree_tile_##n(f, s, leaf_rows, pending); \
    break;
  switch (rows) { EACH_TILE_ROWS(CASE) }
#undef CASE
}

/** A weight gradient: dw[m, n] from x[rows, m] and dy[rows, n]. */
typedef struct {
  const f32 *x, *dy;
  f32 *dw;
  i32 rows, m, n, leaf_rows;
} Gradient;

/** Floats of the copies of one tile of x and one panel of dy, for all rows. */
#define TREE_A_FLOATS(rows) ((isize)(rows) * PACKED_ROWS)
#define TREE_PANEL_FLOATS(rows) ((isize)(rows) * TILE_COLS)

/** Columns c0 to c0 + cols, whose panels have been copied for all rows. */
static void tree_columns(const Gradient *g, i32 c0, i32 cols, const f32 *panels, f32 *slice, f32 *pending) {
  i32 tiles = part_count(g->m, TILE_ROWS);
  for (i32 t = 0; t < tiles; t++) {
    i32 i = part_start(g->m, tiles, t), height = part_start(g->m, tiles, t + 1) - i;
    Factors f = {g->x + i, 1, g->m, 0, TILE_COLS, g->rows, 0, 0};
    // Several panels read the same few columns of x, which are copied because a cache line of x holds more than a tile needs.
    if (cols > TILE_COLS) {
      pack_slices(slice, f.a, g->m, height, g->m - i, g->rows);
      f.a = slice;
      f.a_step = PACKED_ROWS;
    }
    for (i32 c = 0; c < cols; c += TILE_COLS) {
      f.b = panels + c / TILE_COLS * TREE_PANEL_FLOATS(g->rows);
      i32 width = cols - c < TILE_COLS ? cols - c : TILE_COLS;
      const Sink s = {g->dw + (isize)i * g->n + c0 + c, g->n, width, 0, 0, 0};
      run_tree_tile(height, &f, &s, g->leaf_rows, pending);
    }
  }
}

/** Too many rows to copy even one panel: dy is read in place, except for its last rows, so that no read passes its end. */
static void tree_in_place(const Gradient *g, f32 *tail, f32 *pending) {
  i32 tiles = part_count(g->m, TILE_ROWS);
  i32 copied = TILE_COLS, direct = g->rows - copied;
  for (i32 c = 0; c < g->n; c += TILE_COLS) {
    i32 cols = g->n - c < TILE_COLS ? g->n - c : TILE_COLS;
    pack_rows(tail, g->dy + (isize)direct * g->n + c, g->n, cols, copied);
    for (i32 t = 0; t < tiles; t++) {
      i32 i = part_start(g->m, tiles, t);
      const Factors f = {g->x + i, 1, g->m, g->dy + c, g->n, direct, copied, tail};
      const Sink s = {g->dw + (isize)i * g->n + c, g->n, cols, 0, 0, 0};
      run_tree_tile(part_start(g->m, tiles, t + 1) - i, &f, &s, g->leaf_rows, pending);
    }
  }
}

/**
 * Few columns: with a lane for each column most lanes would be idle. Lanes are rows of dw instead, x is read in place, and
 * tiles are transposed when they are written.
 */
static void tree_transposed(const Gradient *g, f32 *tail, f32 *pending) {
  f32 *tile = tail + (isize)LANES * TILE_COLS;
  for (i32 c = 0; c < g->m; c += TILE_COLS) {
    i32 cols = g->m - c < TILE_COLS ? g->m - c : TILE_COLS;
    i32 unsafe = g->m - c > TILE_COLS ? 0 : unsafe_rows(cols, g->m, g->rows), safe = g->rows - unsafe;
    pack_rows(tail, g->x + (isize)safe * g->m + c, g->m, cols, unsafe);
    const Factors f = {g->dy, 1, g->n, g->x + c, g->m, safe, unsafe, tail};
    const Sink s = {tile, TILE_COLS, cols, 0, 0, 0};
    run_tree_tile(g->n, &f, &s, g->leaf_rows, pending);
    f32 *to = g->dw + (isize)c * g->n;
    for (i32 j = 0; j < cols; j++)
      for (i32 i = 0; i < g->n; i++) *to++ = tile[i * TILE_COLS + j];
  }
}

/** out[m, n] = tree over leaves of the sum over r of a[r, m] b[r, n]. */
KERNEL(treeMatmulTransposedA, PTR a, PTR b, PTR out, I32 rows, I32 m, I32 n, I32 leafRows) {
  const Gradient g = {a, b, out, rows, m, n, leafRows};
  f32 *pending = (f32 *)thread->workspace, *slice = pending + TREE_LEVELS * TREE_NODE_FLOATS;
  if (n <= TILE_ROWS) {
    tree_transposed(&g, slice, pending);
    return;
  }
  f32 *panels = slice + TREE_A_FLOATS(rows);
  isize room = WORKSPACE_BYTES / 4 - TREE_LEVELS * TREE_NODE_FLOATS - TREE_A_FLOATS(rows);
  if (room < TREE_PANEL_FLOATS(rows)) {
    tree_in_place(&g, slice, pending);
    return;
  }
  i32 most = (i32)(room / TREE_PANEL_FLOATS(rows)) * TILE_COLS;
  for (i32 c0 = 0; c0 < n; c0 += most) {
    i32 cols = n - c0 < most ? n - c0 : most;
    for (i32 c = 0; c < cols; c += TILE_COLS) {
      i32 width = cols - c < TILE_COLS ? cols - c : TILE_COLS;
      pack_rows(panels + c / TILE_COLS * TREE_PANEL_FLOATS(rows), g.dy + c0 + c, n, width, rows);
    }
    tree_columns(&g, c0, cols, panels, slice, pending);
  }
}

/** Vectors of a row that treeSumRows processes at once. */
#define SUM_VECS 8

/** The tree of `vecs` vectors of columns; the last vector has `lanes` columns. */
INLINE void tree_sum(const i32 vecs, i32 lanes, const f32 *a, f32 *out, i32 rows, isize row, i32 leaf_rows,
                     f32 *pending) {
  vec acc[SUM_VECS];
  i32 r = 0;
  for (u32 leaf = 0;; leaf++) {
    i32 end = rows - r < leaf_rows ? rows : r + leaf_rows;
    UNROLL for (i32 j = 0; j < vecs; j++) acc[j] = x_zero();
    for (; r < end; r++)
      UNROLL for (i32 j = 0; j < vecs; j++) {
        const f32 *at = a + r * row + j * LANES;
        acc[j] = x_add(acc[j], lanes == LANES ? x_load(at) : x_load_n(at, lanes));
      }
    u32 level = 0;
    for (; r == rows ? leaf >> level != 0 : leaf >> level & 1; level++)
      if (leaf >> level & 1)
        UNROLL for (i32 j = 0; j < vecs; j++)
          acc[j] = x_add(x_load(pending + (level * SUM_VECS + j) * LANES), acc[j]);
    if (r == rows) break;
    UNROLL for (i32 j = 0; j < vecs; j++) x_store(pending + (level * SUM_VECS + j) * LANES, acc[j]);
  }
  UNROLL for (i32 j = 0; j < vecs; j++) x_store_n(out + j * LANES, acc[j], lanes);
}

/** out[n] = tree over leaves of the sum over r of a[r, n]. */
KERNEL(treeSumRows, PTR a, PTR out, I32 rows, I32 n, I32 leafRows) {
  const f32 *x = a;
  f32 *y = out, *pending = (f32 *)thread->workspace;
  i32 c = 0;
  for (; n - c >= SUM_VECS * LANES; c += SUM_VECS * LANES)
    tree_sum(SUM_VECS, LANES, x + c, y + c, rows, n, leafRows, pending);
  for (; n - c >= LANES; c += LANES) tree_sum(1, LANES, x + c, y + c, rows, n, leafRows, pending);
  if (c < n) tree_sum(1, n - c, x + c, y + c, rows, n, leafRows, pending);
}
