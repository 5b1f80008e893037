/** Copies operands into the order in which tiles read them. */
#pragma once
#include "tile.h"

/** Number of parts of at most `most` elements that `total` elements need; at least one. */
INLINE i32 part_count(i32 total, i32 most) { return total > most ? (total + most - 1) / most : 1; }

/** Start of part `index` when `total` elements are split into `parts` nearly equal parts. */
INLINE i32 part_start(i32 total, i32 parts, i32 index) { return (i32)((i64)total * index / parts); }

/**
 * Number of rows at the end of the `count` rows of b, `step` apart, that must not be read as full vectors of the remaining
 * `cols` columns, because such a read would pass the end of b.
 */
INLINE i32 unsafe_rows(i32 cols, isize step, i32 count) {
  i32 beyond = vecs_of(cols) * LANES - cols;
  if (beyond == 0) return 0;
  i32 rows = (i32)((beyond + step - 1) / step);
  return rows < count ? rows : count;
}

/** to[k][0..TILE_COLS) = from[k * step + 0..cols), rest +0; for k < count. */
static void pack_rows(f32 *to, const f32 *from, isize step, i32 cols, i32 count) {
  if (cols == TILE_COLS) {
    for (i32 k = 0; k < count; k++) {
      UNROLL for (i32 j = 0; j < TILE_VECS; j += LINE_VECS)
        __builtin_prefetch(from + (k + 4 * PREFETCH_ROWS) * step + j * LANES);
      UNROLL for (i32 j = 0; j < TILE_VECS; j++)
        x_store(to + (isize)k * TILE_COLS + j * LANES, x_load(from + k * step + j * LANES));
    }
    return;
  }
  for (i32 k = 0; k < count; k++)
    for (i32 j = 0; j < TILE_VECS; j++) {
      i32 lanes = cols - j * LANES;
      lanes = lanes < 0 ? 0 : lanes > LANES ? LANES : lanes;
      x_store(to + (isize)k * TILE_COLS + j * LANES, x_load_n(from + k * step + j * LANES, lanes));
    }
}

/** to[k * PACKED_ROWS + i] = from[k * step + i] for i < rows, k < count; `readable` floats of a row may be read. */
static void pack_slices(f32 *to, const f32 *from, isize step, i32 rows, i32 readable, i32 count) {
  if (readable >= PACKED_ROWS)
    for (i32 k = 0; k < count; k++) x_store(to + (isize)k * PACKED_ROWS, x_load(from + k * step));
  else
    for (i32 k = 0; k < count; k++) x_store(to + (isize)k * PACKED_ROWS, x_load_n(from + k * step, rows));
}

/** to[k * pitch + i] = from[i * row + k] for i < rows, k < count; +0 for i from rows to the next multiple of LANES. */
static void pack_transposed(f32 *to, i32 pitch, const f32 *from, isize row, i32 rows, i32 count) {
  for (i32 first = 0; first < rows; first += LANES) {
    i32 lanes = rows - first < LANES ? rows - first : LANES;
    for (i32 k = 0; k < count; k += LANES) {
      i32 deep = count - k < LANES ? count - k : LANES;
      const f32 *corner = from + first * row + k;
      f32 *target = to + (isize)k * pitch + first;
      vec block[LANES];
      if (lanes == LANES && deep == LANES) {
        UNROLL for (i32 i = 0; i < LANES; i++) block[i] = x_load(corner + i * row);
        x_transpose(block);
        UNROLL for (i32 i = 0; i < LANES; i++) x_store(target + i * pitch, block[i]);
      } else {
        for (i32 i = 0; i < LANES; i++) block[i] = i < lanes ? x_load_n(corner + i * row, deep) : x_zero();
        x_transpose(block);
        for (i32 i = 0; i < deep; i++) x_store(target + i * pitch, block[i]);
      }
    }
  }
}
