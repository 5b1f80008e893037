/** A recurrent layer over whole sequences: its tensors, and where the values of a row and step lie in them. */
#pragma once
#include "kernel.h"

typedef enum { LSTM, GRU, SIMPLE_RNN } Cell;

/** A recurrent layer and its tensors. `step` counts in the order of computation, `place` in the order of time. */
typedef struct {
  Cell cell;
  i32 rows, steps, units;
  /** Gates of a unit. */
  i32 gates;
  /** Whether there is an output at each step, or only after the last. */
  i32 sequences;
  /** Whether the last place is the first step. */
  i32 reverse;
  /** Whether the output has one more place, after the others, for the final state of the cell. */
  i32 with_cell;
  /** [units, gates * units], and for GRU [gates * units]. */
  const f32 *weights, *bias;
  /** [rows, steps, gates * units]; their contents change with each step, see recurrent.c. */
  f32 *z, *sums;
  /** [rows, steps, units]: the state of the cell after each step; the output before each step. */
  f32 *cells, *previous;
  /** Output, or its error term: [rows, steps, units], or [rows, units] without `sequences`; see also with_cell. */
  f32 *y;
  /** [rows, steps], 0 at each place that is padding: a step there changes nothing. NULL: no padding. */
  const f32 *mask;
  /** [rows, units]: output and cell before the first step, NULL for zeros. Backward: where their error terms go, or NULL. */
  const f32 *start, *start_cell;
  f32 *start_error, *start_cell_error;
} Recurrence;

/** The floats of a row and step in a tensor of `width` floats a step; NULL before the first step and after the last. */
INLINE f32 *at_step(const Recurrence *q, f32 *tensor, i32 width, i32 row, i32 step) {
  if (step < 0 || step >= q->steps) return 0;
  i32 place = q->reverse ? q->steps - 1 - step : step;
  return tensor + ((isize)row * q->steps + place) * width;
}

/** Number of places of an output. */
INLINE i32 output_places(const Recurrence *q) { return (q->sequences ? q->steps : 1) + q->with_cell; }

/** The output of a row at a step, or its error term; NULL where there is none. */
INLINE f32 *output_at(const Recurrence *q, i32 row, i32 step) {
  if (!q->sequences && step < q->steps - 1) return 0;
  i32 place = !q->sequences ? 0 : q->reverse ? q->steps - 1 - step : step;
  return q->y + ((isize)row * output_places(q) + place) * q->units;
}

/** The final state of the cell of a row, or its error term; NULL where the output does not include it. */
INLINE f32 *last_cell(const Recurrence *q, i32 row) {
  return q->with_cell ? q->y + ((isize)row * output_places(q) + output_places(q) - 1) * q->units : 0;
}

/** The state of the cell of a row before a step; NULL for zeros. */
INLINE const f32 *cell_before(const Recurrence *q, i32 row, i32 step) {
  if (step > 0) return at_step(q, q->cells, q->units, row, step - 1);
  return q->start_cell ? q->start_cell + (isize)row * q->units : 0;
}

/** Whether a step of a row is padding. */
INLINE i32 is_padding(const Recurrence *q, i32 row, i32 step) {
  return q->mask && q->mask[(isize)row * q->steps + (q->reverse ? q->steps - 1 - step : step)] == 0;
}
