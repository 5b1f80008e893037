/** Tiles of a dense product, for all kernels that multiply matrices: one call computes one tile. */
#pragma once
#include "tile.h"

INLINE void product_tile(const i32 rows, const i32 vecs, const Factors *f, const Sink *s) {
  vec acc[TILE_ROWS][TILE_VECS];
  if (s->resume)
    tile_resume(rows, vecs, acc, s);
  else
    tile_clear(rows, vecs, acc);
  if (f->a_step == 1)
    tile_multiply(rows, vecs, 1, acc, f, 0, f->count + f->tail_count);
  else
    tile_multiply(rows, vecs, 0, acc, f, 0, f->count + f->tail_count);
  tile_store(rows, vecs, acc, s);
}

#define PRODUCT_TILE(rows)                                                                     \
  static __attribute__((noinline)) void product_tile_##rows(const Factors *f, const Sink *s) { \
    WITH_VECS(vecs_of(s->cols), product_tile, rows, f, s);                                     \
  }
EACH_TILE_ROWS(PRODUCT_TILE)

/** One tile of `rows` rows; its number of vectors follows from its columns. */
static void run_product_tile(i32 rows, const Factors *f, const Sink *s) {
#define CASE(n) \
  case n:       \
    product_tile_##n(f, s); \
    break;
  switch (rows) { EACH_TILE_ROWS(CASE) }
#undef CASE
}
