/**
 * What all recurrent kernels share: where things lie, and the walk along time.
 *
 * Rows are samples and independent of each other, so a few of them at a time go through the whole sequence, and what they
 * need at a step stays in the nearest caches: the sums of the recurrent product and the operands of the next one.
 */
#pragma once
#include "lanes.h"
#include "pack.h"

/** Most units of a recurrent layer: so much fits the workspace for even one tile of rows. */
#define RECURRENT_UNITS 1024
/** Most gates of a unit. */
#define RECURRENT_GATES 4
/** Most tiles of rows that go through time together. */
#define RECURRENT_TILES 4
_Static_assert(RECURRENT_UNITS * (TILE_ROWS * (RECURRENT_GATES + 1) + PACKED_ROWS * RECURRENT_GATES + TILE_COLS) * 4 <=
                   WORKSPACE_BYTES,
               "one tile and one panel fit the workspace");

/** Defined in products.c. */
static void run_product_tile(i32 rows, const Factors *f, const Sink *s);

typedef enum { LSTM, GRU, SIMPLE_RNN } Cell;

/** A recurrent layer and its tensors. A step is counted in the order of computation, a place in a tensor in time. */
typedef struct {
  Cell cell;
  i32 rows, steps, units;
  /** Gates of a unit. */
  i32 gates;
  /** Whether there is an output at each step, or only after the last. */
  i32 sequences;
  /** Whether the last place is the first step. */
  i32 reverse;
  /** Whether the output has one more place, behind the others: what a cell holds in the end. */
  i32 with_cell;
  /** [units, gates * units], and for GRU [gates * units]. */
  const f32 *weights, *bias;
  /** [rows, steps, gates * units]; what they hold changes from step to step, see recurrent.c. */
  f32 *z, *sums;
  /** [rows, steps, units]: the state of a cell; the output that a step begins with. */
  f32 *cells, *previous;
  /** Output, or its error term: [rows, steps, units], or [rows, units] without `sequences`; see with_cell. */
  f32 *y;
  /** [rows, steps], 0 at each place that is padding: a step there changes nothing. NULL: there is none. */
  const f32 *mask;
  /** [rows, units]: output and cell before the first step, NULL for zeros; backward, where their error terms go, or NULL. */
  const f32 *start, *start_cell;
  f32 *start_error, *start_cell_error;
} Recurrence;

/** What lies at a row and step in a tensor of `width` floats a step; NULL before the first step and after the last. */
INLINE f32 *at_step(const Recurrence *q, f32 *tensor, i32 width, i32 row, i32 step) {
  if (step < 0 || step >= q->steps) return 0;
  i32 place = q->reverse ? q->steps - 1 - step : step;
  return tensor + ((isize)row * q->steps + place) * width;
}

/** Places of an output. */
INLINE i32 output_places(const Recurrence *q) { return (q->sequences ? q->steps : 1) + q->with_cell; }

/** Output of a row at a step, or its error term; NULL where there is none. */
INLINE f32 *output_at(const Recurrence *q, i32 row, i32 step) {
  if (!q->sequences && step < q->steps - 1) return 0;
  i32 place = !q->sequences ? 0 : q->reverse ? q->steps - 1 - step : step;
  return q->y + ((isize)row * output_places(q) + place) * q->units;
}

/** What a row's cell holds in the end, or its error term; NULL where it is no part of the output. */
INLINE f32 *last_cell(const Recurrence *q, i32 row) {
  return q->with_cell ? q->y + ((isize)row * output_places(q) + output_places(q) - 1) * q->units : 0;
}

/** What a row's cell holds before a step; NULL for zeros. */
INLINE const f32 *cell_before(const Recurrence *q, i32 row, i32 step) {
  if (step > 0) return at_step(q, q->cells, q->units, row, step - 1);
  return q->start_cell ? q->start_cell + (isize)row * q->units : 0;
}

/** Whether a row's step is padding. */
INLINE i32 is_padding(const Recurrence *q, i32 row, i32 step) {
  return q->mask && q->mask[(isize)row * q->steps + (q->reverse ? q->steps - 1 - step : step)] == 0;
}

/**
 * The product of a step, for a group of rows: [rows, depth] times [depth, cols]. Forward, depth is the units and cols are
 * the gates of all units; backward the other way round, by blocks of `units`, which go on from each other's sums.
 */
typedef struct {
  const Recurrence *q;
  i32 backward, depth, cols;
  /** Tiles of a group at most. */
  i32 tiles;
  /** Panels of the weights in the order of use: the first `kept` are copied once, the others whenever they are used. */
  f32 *panels;
  i32 kept;
  /** Tiles of the left operand [depth, PACKED_ROWS]; the result [rows, cols]. */
  f32 *packed, *sums;
  /** Backward, `units` floats for each row: what steps hand on past the product, see Later. */
  f32 *carry, *held;
} StepProduct;

/** Copies the weights of columns c to c + cols in a block. */
static void copy_step_panel(const StepProduct *p, i32 block, i32 c, i32 cols, f32 *to) {
  const Recurrence *q = p->q;
  i32 width = q->gates * q->units;
  if (p->backward)
    pack_transposed(to, TILE_COLS, q->weights + (isize)c * width + block * q->units, width, cols, q->units);
  else
    pack_rows(to, q->weights + c, width, cols, q->units);
}

/** Multiplies what `packed` holds for the rows of a group. */
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

/** Divides the workspace and copies as many panels as it has room for. */
static StepProduct step_product_of(const Recurrence *q, i32 backward, const Thread *thread) {
  i32 width = q->gates * q->units, panel_floats = q->units * TILE_COLS;
  StepProduct p = {q, backward, backward ? width : q->units, backward ? q->units : width, RECURRENT_TILES, 0, 0, 0, 0, 0, 0};
  // Carry and held.
  const i32 handed = backward ? 2 * q->units : 0;
  i32 room, panels = (p.cols + TILE_COLS - 1) / TILE_COLS * (p.depth / q->units);
  while (room = WORKSPACE_BYTES / 4 - p.tiles * (TILE_ROWS * (p.cols + handed) + PACKED_ROWS * p.depth),
         room < panel_floats)
    p.tiles--;
  i32 fitting = room / panel_floats;
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
