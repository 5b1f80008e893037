/**
 * The recurrent product of a step.
 *
 * Rows are samples and independent of each other, so the whole sequence is computed for a group of them at a time, and the
 * data of a step stays in the nearest caches: the sums of the recurrent product and the operands of the next one.
 */
#pragma once
#include "pack.h"
#include "product-tile.h"
#include "recurrence.h"

/** Largest number of units of a recurrent layer for which the workspace holds at least one tile of rows. */
#define RECURRENT_UNITS 1024
/** Largest number of gates of a unit. */
#define RECURRENT_GATES 4
/** Largest number of tiles of rows that are computed together. */
#define RECURRENT_TILES 4
_Static_assert(RECURRENT_UNITS * (TILE_ROWS * (RECURRENT_GATES + 1) + PACKED_ROWS * RECURRENT_GATES + TILE_COLS) * 4 <=
                   WORKSPACE_BYTES,
               "one tile and one panel fit the workspace");

/**
 * The recurrent product of a step for a group of rows: [rows, depth] times [depth, cols]. Forward, depth is the number of
 * units and cols the gates of all units; backward it is the other way round, in blocks of `units` that continue the same sums.
 */
typedef struct {
  const Recurrence *q;
  i32 backward, depth, cols;
  /** Largest number of tiles of a group. */
  i32 tiles;
  /** Panels of the weights in the order of use: the first `kept` are copied once, the others each time they are used. */
  f32 *panels;
  i32 kept;
  /** Tiles of the left operand, [depth, PACKED_ROWS] each; the result [rows, cols]. */
  f32 *packed, *sums;
  /** Backward, `units` floats for each row: error terms that bypass the product, see StepErrors in recurrent-cells.h. */
  f32 *carry, *held;
} StepProduct;

/** Copies the weights of columns c to c + cols of a block. */
static void copy_step_panel(const StepProduct *p, i32 block, i32 c, i32 cols, f32 *to) {
  const Recurrence *q = p->q;
  i32 width = q->gates * q->units;
  if (p->backward)
    pack_transposed(to, TILE_COLS, q->weights + (isize)c * width + block * q->units, width, cols, q->units);
  else
    pack_rows(to, q->weights + c, width, cols, q->units);
}

/** Multiplies the packed operand of the rows of a group. */
static void run_step_product(const StepProduct *p, i32 rows) {
  const Recurrence *q = p->q;
  i32 tiles = part_count(rows, TILE_ROWS), panel = 0;
  for (i32 k = 0; k < p->depth; k += q->units)
    for (i32 c = 0; c < p->cols; c += TILE_COLS, panel++) {
      i32 cols = p->cols - c < TILE_COLS ? p->cols - c : TILE_COLS;
      f32 *b = p->panels + (isize)(panel < p->kept ? panel : p->kept) * q->units * TILE_COLS;
      if (panel >= p->kept) copy_step_panel(p, k / q->units, c, cols, b);
      for (i32 t = 0; t < tiles; t++) {
        i32 r = part_start(rows, tiles, t);
        const f32 *a = p->packed + ((isize)t * p->depth + k) * PACKED_ROWS;
        const Factors f = {a, 1, PACKED_ROWS, b, TILE_COLS, q->units, 0, 0};
        const Sink s = {p->sums + (isize)r * p->cols + c, p->cols, cols, q->bias ? q->bias + c : 0, 0, k > 0};
        run_product_tile(part_start(rows, tiles, t + 1) - r, &f, &s);
      }
    }
}

/** Divides the workspace, and copies as many panels of the weights as it can hold. */
static StepProduct step_product_of(const Recurrence *q, i32 backward, const Thread *thread) {
  i32 width = q->gates * q->units, panel_floats = q->units * TILE_COLS;
  StepProduct p = {q, backward, backward ? width : q->units, backward ? q->units : width, RECURRENT_TILES, 0, 0, 0, 0, 0, 0};
  // For `carry` and `held`.
  const i32 bypass = backward ? 2 * q->units : 0;
  i32 free_floats, panels = (p.cols + TILE_COLS - 1) / TILE_COLS * (p.depth / q->units);
  while (free_floats = WORKSPACE_BYTES / 4 - p.tiles * (TILE_ROWS * (p.cols + bypass) + PACKED_ROWS * p.depth),
         free_floats < panel_floats)
    p.tiles--;
  i32 fitting = free_floats / panel_floats;
  p.kept = panels <= fitting ? panels : fitting - 1;
  p.panels = (f32 *)thread->workspace;
  p.packed = p.panels + (isize)fitting * panel_floats;
  p.sums = p.packed + (isize)p.tiles * PACKED_ROWS * p.depth;
  p.carry = p.sums + (isize)p.tiles * TILE_ROWS * p.cols;
  p.held = p.carry + (isize)p.tiles * TILE_ROWS * q->units;
  for (i32 panel = 0; panel < p.kept; panel++) {
    i32 per_block = panels / (p.depth / q->units), c = panel % per_block * TILE_COLS;
    i32 cols = p.cols - c < TILE_COLS ? p.cols - c : TILE_COLS;
    copy_step_panel(&p, panel / per_block, c, cols, p.panels + (isize)panel * panel_floats);
  }
  return p;
}
