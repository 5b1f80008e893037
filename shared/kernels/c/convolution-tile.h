/**
 * Tiles of the results of a convolution. Rows are results a fixed distance apart, along a row of the image, down a column,
 * or from one sample to the next; their factors are read in place. Columns are channels; their factors are packed.
 */
#pragma once
#include "pack.h"

/** What a tile reads: `tall` rows of `runs` runs of `count` floats for each of its results, which lie `pitch` apart. */
typedef struct {
  const f32 *in;
  isize pitch, down, right;
  const f32 *panel;
  isize panel_down, panel_right;
  i32 tall, runs, count;
} Patch;

INLINE void walk_tile(const i32 rows, const i32 vecs, const Patch *p, const Sink *s) {
  vec acc[TILE_ROWS][TILE_VECS];
  if (s->resume)
    tile_resume(rows, vecs, acc, s);
  else
    tile_clear(rows, vecs, acc);
  for (i32 y = 0; y < p->tall; y++)
    for (i32 x = 0; x < p->runs; x++)
      tile_chain(rows, vecs, 1, acc, p->in + y * p->down + x * p->right, p->pitch,
                 p->panel + y * p->panel_down + x * p->panel_right, TILE_COLS, p->count);
  tile_store(rows, vecs, acc, s);
}

#define WALK_TILE(rows)                                                                  \
  static __attribute__((noinline)) void walk_tile_##rows(const Patch *p, const Sink *s) { \
    WITH_VECS(vecs_of(s->cols), walk_tile, rows, p, s);                                  \
  }
EACH_TILE_ROWS(WALK_TILE)

static void run_walk_tile(i32 rows, const Patch *p, const Sink *s) {
#define CASE(n)             \
  case n:                   \
    walk_tile_##n(p, s);    \
    break;
  switch (rows) { EACH_TILE_ROWS(CASE) }
#undef CASE
}

/** A direction from one result to the next: the number of results, and the distances in the input and in the output. */
typedef struct {
  i32 count;
  isize in, out;
} Direction;

/** Average number of rows of the tiles along a direction, times 16. */
INLINE i32 tile_fill(i32 count) { return 16 * count / part_count(count, TILE_ROWS); }

/** All results of two spans in all samples; `patch` and `sink` are those of the first result. */
static void walk_spans(Patch patch, Sink sink, const Direction directions[3]) {
  i32 along = 0;
  for (i32 d = 1; d < 3; d++)
    if (tile_fill(directions[d].count) > tile_fill(directions[along].count)) along = d;
  const Direction tile = directions[along], inner = directions[along == 0 ? 1 : 0],
                  outer = directions[along == 2 ? 1 : 2];
  i32 tiles = part_count(tile.count, TILE_ROWS);
  const f32 *in = patch.in;
  f32 *out = sink.out;
  patch.pitch = tile.in;
  sink.row = tile.out;
  for (i32 i = 0; i < outer.count; i++)
    for (i32 j = 0; j < inner.count; j++)
      for (i32 t = 0; t < tiles; t++) {
        i32 from = part_start(tile.count, tiles, t);
        patch.in = in + i * outer.in + j * inner.in + from * tile.in;
        sink.out = out + i * outer.out + j * inner.out + from * tile.out;
        run_walk_tile(part_start(tile.count, tiles, t + 1) - from, &patch, &sink);
      }
}
