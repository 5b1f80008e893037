/**
 * The inner loop of all products: a tile of the result stays in registers while k ascends.
 *
 *   acc[i][j] = fma(a(i, k), b(k, j), acc[i][j])        i < rows of the tile, j < vectors of the tile
 *
 * Lanes are columns of the result, so every element has its own chain and the tile size does not affect the bits.
 */
#pragma once
#include "kernel.h"

// The accumulators of a tile, a row of b and the factors of a share the vector registers: 32 with AVX-512, 16 with AVX2.
// A wasm engine on x86 has 15 and loads all factors of a step before it multiplies. The exact build needs as many chains:
// one multiply-add through f64 is about thirty operations, nearly all of them dependent on each other.
#if LANES == 16
#define TILE_ROWS 14
#define TILE_VECS 2
#define EACH_TILE_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#elif LANES == 8
#define TILE_ROWS 6
#define TILE_VECS 2
#define EACH_TILE_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6)
#else
#define TILE_ROWS 3
#define TILE_VECS 3
#define EACH_TILE_ROWS(X) X(1) X(2) X(3)
#endif
#define TILE_COLS (TILE_VECS * LANES)
/** Floats from one k to the next in a packed tile of a. */
#define PACKED_ROWS LANES

/** Calls f(rows, vecs, ...) with constants: every tile size is its own function, so that its sums stay in registers. */
#if TILE_VECS == 2
#define WITH_VECS(vecs, f, rows, ...) \
  if (vecs == 1)                      \
    f(rows, 1, __VA_ARGS__);          \
  else                                \
    f(rows, 2, __VA_ARGS__)
#else
#define WITH_VECS(vecs, f, rows, ...) \
  if (vecs == 1)                      \
    f(rows, 1, __VA_ARGS__);          \
  else if (vecs == 2)                 \
    f(rows, 2, __VA_ARGS__);          \
  else                                \
    f(rows, 3, __VA_ARGS__)
#endif

/** How many rows ahead b is prefetched: hardware prefetchers do not predict rows that lie far apart. */
#define PREFETCH_ROWS 8
/** Vectors in a cache line. */
#define LINE_VECS (16 / LANES)

/** The factors of a tile. a(i, k) = a[i * a_row + k * a_step]; b(k, ·) = b[k * b_step ...]. */
typedef struct {
  const f32 *a;
  isize a_row, a_step;
  const f32 *b;
  isize b_step;
  /** Number of k that come from `b`, and of those that follow from `tail`, whose rows have TILE_COLS floats. */
  i32 count, tail_count;
  const f32 *tail;
} Factors;

/** Where the sums go. `add` (may be NULL) has one summand for each column. */
typedef struct {
  f32 *out;
  isize row;
  /** Columns of the tile that exist, 1..TILE_COLS. */
  i32 cols;
  const f32 *add;
  i32 activation;
  /** Start from the values in `out` instead of +0. */
  i32 resume;
} Sink;

/** Adds `count` products to the chains of a tile. `row_major`: a_step is 1 and rows of a lie apart; else a_row is 1. */
INLINE void tile_chain(const i32 rows, const i32 vecs, const i32 row_major, vec acc[TILE_ROWS][TILE_VECS], const f32 *a,
                       isize a_pitch, const f32 *b, isize b_step, i32 count) {
  for (i32 k = 0; k < count; k++) {
    vec row[TILE_VECS];
    UNROLL for (i32 j = 0; j < vecs; j++) row[j] = x_load(b + j * LANES);
    UNROLL for (i32 i = 0; i < rows; i++) {
      vec factor = x_set(row_major ? a[i * a_pitch] : a[i]);
      UNROLL for (i32 j = 0; j < vecs; j++) acc[i][j] = x_fma(factor, row[j], acc[i][j]);
    }
    UNROLL for (i32 j = 0; j < vecs; j += LINE_VECS) __builtin_prefetch(b + PREFETCH_ROWS * b_step + j * LANES);
    a += row_major ? 1 : a_pitch;
    b += b_step;
  }
}

INLINE void tile_clear(const i32 rows, const i32 vecs, vec acc[TILE_ROWS][TILE_VECS]) {
  UNROLL for (i32 i = 0; i < rows; i++)
    UNROLL for (i32 j = 0; j < vecs; j++) acc[i][j] = x_zero();
}

/** Continues the chains over from <= k < to, through both parts of b. One loop for both keeps the code small. */
INLINE void tile_multiply(const i32 rows, const i32 vecs, const i32 row_major, vec acc[TILE_ROWS][TILE_VECS],
                          const Factors *f, i32 from, i32 to) {
  while (from < to) {
    i32 in_tail = from >= f->count;
    const f32 *b = in_tail ? f->tail + (isize)(from - f->count) * TILE_COLS : f->b + from * f->b_step;
    i32 end = in_tail || to < f->count ? to : f->count;
    tile_chain(rows, vecs, row_major, acc, f->a + from * f->a_step, row_major ? f->a_row : f->a_step, b,
               in_tail ? TILE_COLS : f->b_step, end - from);
    from = end;
  }
}

/** Number of vectors that `cols` columns need. */
INLINE i32 vecs_of(i32 cols) { return (cols + LANES - 1) / LANES; }

/** Number of lanes of vector j that hold columns of the result. */
INLINE i32 tile_lanes(const Sink *sink, i32 j) {
  i32 left = sink->cols - j * LANES;
  return left < LANES ? left : LANES;
}

INLINE void tile_resume(const i32 rows, const i32 vecs, vec acc[TILE_ROWS][TILE_VECS], const Sink *sink) {
  UNROLL for (i32 j = 0; j < vecs; j++) {
    i32 lanes = tile_lanes(sink, j);
    const f32 *from = sink->out + j * LANES;
    if (lanes == LANES)
      UNROLL for (i32 i = 0; i < rows; i++) acc[i][j] = x_load(from + i * sink->row);
    else
      UNROLL for (i32 i = 0; i < rows; i++) acc[i][j] = x_load_n(from + i * sink->row, lanes);
  }
}

INLINE void tile_store(const i32 rows, const i32 vecs, vec acc[TILE_ROWS][TILE_VECS], const Sink *sink) {
  UNROLL for (i32 j = 0; j < vecs; j++) {
    i32 lanes = tile_lanes(sink, j);
    f32 *to = sink->out + j * LANES;
    if (sink->add) {
      vec add = x_load_n(sink->add + j * LANES, lanes);
      UNROLL for (i32 i = 0; i < rows; i++) acc[i][j] = x_add(acc[i][j], add);
    }
    if (sink->activation) UNROLL for (i32 i = 0; i < rows; i++) acc[i][j] = x_relu(acc[i][j]);
    if (lanes == LANES)
      UNROLL for (i32 i = 0; i < rows; i++) x_store(to + i * sink->row, acc[i][j]);
    else
      UNROLL for (i32 i = 0; i < rows; i++) x_store_n(to + i * sink->row, acc[i][j], lanes);
  }
}
