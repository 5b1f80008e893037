/**
 * Matrix products. Every element of a result is ONE chain of fused multiply-adds over the inner index, ascending,
 * starting from +0; then the bias, then the activation. Blocks of k resume the chain from the result in memory, which
 * is exact: storing and loading a float does not change it.
 */
#include "pack.h"
#include "product-tile.h"

/** Largest blocks of the inner index (a panel of b stays in the L1 cache), of columns and of rows. */
#define BLOCK_INNER 264
#define BLOCK_COLS (512 / TILE_COLS * TILE_COLS)
#define BLOCK_TILES (LANES == 16 ? 8 : 20)
#define BLOCK_ROWS (BLOCK_TILES * TILE_ROWS)
/** Up to this number of rows b is read in place: measurements show that copying it does not pay. */
#define DIRECT_ROWS (LANES == 16 ? 160 : 48)

#define PANEL_FLOATS (BLOCK_INNER * TILE_COLS)
#define B_FLOATS (BLOCK_INNER * BLOCK_COLS)
#define A_FLOATS (BLOCK_INNER * BLOCK_TILES * PACKED_ROWS)
_Static_assert((B_FLOATS + A_FLOATS) * 4 <= WORKSPACE_BYTES, "blocks fit the workspace");

/** A whole product; b is [inner, cols], or [cols, inner] when `transposed`. */
typedef struct {
  const f32 *a, *b, *bias;
  f32 *out;
  i32 rows, inner, cols, activation, transposed;
} Product;

/** A product of at most TILE_COLS columns: one panel, a and b are read in place. */
static void product_narrow(const Product *p, f32 *tail) {
  i32 unsafe = unsafe_rows(p->cols, p->cols, p->inner);
  i32 safe = p->inner - unsafe;
  pack_rows(tail, p->b + (isize)safe * p->cols, p->cols, p->cols, unsafe);
  i32 tiles = part_count(p->rows, TILE_ROWS);
  for (i32 t = 0; t < tiles; t++) {
    i32 r = part_start(p->rows, tiles, t);
    const Factors f = {p->a + (isize)r * p->inner, p->inner, 1, p->b, p->cols, safe, unsafe, tail};
    const Sink s = {p->out + (isize)r * p->cols, p->cols, p->cols, p->bias, p->activation, 0};
    run_product_tile(part_start(p->rows, tiles, t + 1) - r, &f, &s);
  }
}

/** A block of k and of columns. */
typedef struct {
  i32 k, inner, col, cols;
  i32 last;
} Block;

/** Copies the panel of b with `cols` columns from column c, for the k of the block. */
static void pack_panel(const Product *p, const Block *block, i32 c, i32 cols, f32 *to) {
  if (p->transposed)
    pack_transposed(to, TILE_COLS, p->b + (isize)c * p->inner + block->k, p->inner, cols, block->inner);
  else
    pack_rows(to, p->b + (isize)block->k * p->cols + c, p->cols, cols, block->inner);
}

/** All rows times one block of b. */
static void product_block(const Product *p, const Block *block, const Thread *thread) {
  f32 *packed_b = (f32 *)thread->workspace, *packed_a = packed_b + B_FLOATS;
  i32 direct = !p->transposed && p->rows <= DIRECT_ROWS;
  // Copied panels stay in the L1 cache; fewer rows at a time leave space there for a.
  i32 most = direct ? BLOCK_ROWS : BLOCK_ROWS / 2;
  for (i32 r0 = 0; r0 < p->rows; r0 += most) {
    i32 rows = p->rows - r0 < most ? p->rows - r0 : most;
    i32 tiles = part_count(rows, TILE_ROWS);
    for (i32 t = 0; t < tiles; t++) {
      i32 r = part_start(rows, tiles, t);
      pack_transposed(packed_a + (isize)t * BLOCK_INNER * PACKED_ROWS, PACKED_ROWS,
                      p->a + (isize)(r0 + r) * p->inner + block->k, p->inner, part_start(rows, tiles, t + 1) - r,
                      block->inner);
    }
    f32 *panel = packed_b;
    for (i32 c = block->col; c < block->col + block->cols; c += TILE_COLS, panel += PANEL_FLOATS) {
      i32 cols = p->cols - c < TILE_COLS ? p->cols - c : TILE_COLS;
      i32 in_place = direct && cols == TILE_COLS;
      if (!in_place && r0 == 0) pack_panel(p, block, c, cols, panel);
      for (i32 t = 0; t < tiles; t++) {
        i32 r = part_start(rows, tiles, t);
        const Factors f = {packed_a + (isize)t * BLOCK_INNER * PACKED_ROWS,
                           1,
                           PACKED_ROWS,
                           in_place ? p->b + (isize)block->k * p->cols + c : panel,
                           in_place ? p->cols : TILE_COLS,
                           block->inner,
                           0,
                           0};
        const Sink s = {p->out + (isize)(r0 + r) * p->cols + c,
                        p->cols,
                        cols,
                        block->last && p->bias ? p->bias + c : 0,
                        block->last && p->activation,
                        block->k > 0};
        run_product_tile(part_start(rows, tiles, t + 1) - r, &f, &s);
      }
    }
  }
}

static void product(const Product *p, const Thread *thread) {
  if (!p->transposed && p->cols <= TILE_COLS) {
    product_narrow(p, (f32 *)thread->workspace);
    return;
  }
  i32 depth = part_count(p->inner, BLOCK_INNER);
  for (i32 d = 0; d < depth; d++) {
    i32 k = part_start(p->inner, depth, d);
    for (i32 c = 0; c < p->cols; c += BLOCK_COLS) {
      i32 cols = p->cols - c < BLOCK_COLS ? p->cols - c : BLOCK_COLS;
      const Block block = {k, part_start(p->inner, depth, d + 1) - k, c, cols, d == depth - 1};
      product_block(p, &block, thread);
    }
  }
}

/** out[r, c] = activation(sum over k of a[r, k] b[k, c], + bias[c]); activation 0 none, 1 relu. */
KERNEL(matmul, PTR a, PTR b, PTR bias, PTR out, I32 rows, I32 inner, I32 cols, I32 activation) {
  const Product p = {a, b, bias, out, rows, inner, cols, activation, 0};
  product(&p, thread);
}

/**
 * Few rows times a large b, [cols, inner]: lanes are rows of the result, so that the small operand is the one that is
 * transposed. Tiles come out transposed and are transposed back when they are written.
 */
static void product_few_rows(const Product *p, const Thread *thread) {
  f32 *transposed = (f32 *)thread->workspace, *tile = transposed + (isize)p->inner * TILE_COLS;
  for (i32 r = 0; r < p->rows; r += TILE_COLS) {
    i32 rows = p->rows - r < TILE_COLS ? p->rows - r : TILE_COLS;
    pack_transposed(transposed, TILE_COLS, p->a + (isize)r * p->inner, p->inner, rows, p->inner);
    i32 tiles = part_count(p->cols, TILE_ROWS);
    for (i32 t = 0; t < tiles; t++) {
      i32 c = part_start(p->cols, tiles, t), height = part_start(p->cols, tiles, t + 1) - c;
      const Factors f = {p->b + (isize)c * p->inner, p->inner, 1, transposed, TILE_COLS, p->inner, 0, 0};
      const Sink s = {tile, TILE_COLS, rows, 0, 0, 0};
      run_product_tile(height, &f, &s);
      for (i32 i = 0; i < rows; i++)
        for (i32 j = 0; j < height; j++) p->out[(isize)(r + i) * p->cols + c + j] = tile[j * TILE_COLS + i];
    }
  }
}

/** out[r, c] = sum over k of a[r, k] b[c, k]. */
KERNEL(matmulTransposedB, PTR a, PTR b, PTR out, I32 rows, I32 inner, I32 cols) {
  const Product p = {a, b, 0, out, rows, inner, cols, 0, 1};
  isize few_rows_floats = ((isize)inner + TILE_ROWS) * TILE_COLS;
  if (rows <= 2 * TILE_COLS && inner >= 2 * rows && few_rows_floats * 4 <= WORKSPACE_BYTES)
    product_few_rows(&p, thread);
  else
    product(&p, thread);
}
