/**
 * Recurrent layers over whole sequences. On entry `z` holds the contribution of the input to all gates, x W + b for every
 * step at once (one product, computed before the kernel is called); the kernels add what depends on the step before.
 *
 * The recurrent product of a step is its own chain, ascending over the units (backward: over the gates of all units), and
 * is added to the contribution of the input. The first step has no recurrent product unless an initial output `start`
 * [rows, units] is given. `previous` keeps the output before each step (at the first step `start` or zeros), which the
 * gradient of the recurrent weights needs.
 *
 * Tensors are [rows, steps, ...]; `sequences` 0: y and dy are [rows, units], the output after the last step. `reverse` 1:
 * the sequence is computed from its end, and each output lies at the place of its input. `withCell` 1: y and dy have one
 * more place after the others, for the cell after the last step. `mask` [rows, steps] is 0 where a step is padding: output
 * and cell keep their values from before it.
 */
#include "recurrent-cells.h"
#include "recurrent-product.h"

/** A step of one row, forward. */
static void run_forward_row(const Recurrence *q, i32 row, i32 step, const f32 *sums) {
  if (is_padding(q, row, step))
    padding_forward_row(q, row, step);
  else if (q->cell == LSTM)
    lstm_forward_row(q, row, step, sums);
  else if (q->cell == GRU)
    gru_forward_row(q, row, step, sums);
  else
    simple_forward_row(q, row, step, sums);
  f32 *last = step == q->steps - 1 ? last_cell(q, row) : 0;
  if (last) copy_part(last, at_step(q, q->cells, q->units, row, step), q->units);
}

/** A step of one row, backward. */
static void run_backward_row(const Recurrence *q, i32 row, i32 step, const StepErrors *errors) {
  if (is_padding(q, row, step)) {
    padding_backward_row(q, row, step, errors);
    return;
  }
  if (q->cell == LSTM)
    lstm_backward_row(q, row, step, errors);
  else if (q->cell == GRU)
    gru_backward_row(q, row, step, errors);
  else
    simple_backward_row(q, row, step, errors);
  if (errors->held) copy_part(errors->held, 0, q->units);
}

/** The rows of one tile, numbered in their group. */
typedef struct {
  i32 tile, from, to;
} TileRows;

INLINE TileRows tile_rows(i32 rows, i32 tile) {
  i32 tiles = part_count(rows, TILE_ROWS);
  return (TileRows){tile, part_start(rows, tiles, tile), part_start(rows, tiles, tile + 1)};
}

/** Packs the left operand of a product for the rows of a tile: forward the previous output, backward the error terms. */
static void pack_operand(const StepProduct *p, i32 first, TileRows t, i32 step) {
  const Recurrence *q = p->q;
  f32 *tensor = !p->backward ? q->previous : q->cell == GRU ? q->sums : q->z;
  pack_transposed(p->packed + (isize)t.tile * p->depth * PACKED_ROWS, PACKED_ROWS,
                  at_step(q, tensor, p->depth, first + t.from, step), (isize)q->steps * p->depth, t.to - t.from, p->depth);
}

/** The whole sequence for a group of rows, forward. */
static void run_forward_group(const StepProduct *p, i32 first, i32 rows) {
  const Recurrence *q = p->q;
  i32 tiles = part_count(rows, TILE_ROWS);
  for (i32 r = first; r < first + rows; r++)
    copy_part(at_step(q, q->previous, q->units, r, 0), q->start ? q->start + (isize)r * q->units : 0, q->units);
  for (i32 t = 0; t < tiles && q->start; t++) pack_operand(p, first, tile_rows(rows, t), 0);
  for (i32 step = 0; step < q->steps; step++) {
    // Before the first step there is nothing to multiply, unless an initial output is given.
    i32 has_product = step > 0 || q->start;
    if (has_product) run_step_product(p, rows);
    for (i32 tile = 0; tile < tiles; tile++) {
      TileRows t = tile_rows(rows, tile);
      for (i32 r = t.from; r < t.to; r++)
        run_forward_row(q, first + r, step, has_product ? p->sums + (isize)r * p->cols : q->bias);
      if (step + 1 < q->steps) pack_operand(p, first, t, step + 1);
    }
  }
}

/** Writes the error terms of the initial output and cell, those that are requested. */
static void finish_backward(const StepProduct *p, i32 first, i32 rows) {
  const Recurrence *q = p->q;
  for (i32 r = 0; r < rows; r++) {
    const isize at_row = (isize)(first + r) * q->units, in_group = (isize)r * q->units;
    const StepErrors errors = {p->sums + (isize)r * p->cols, p->carry + in_group, 1, q->mask ? p->held + in_group : 0};
    if (q->start_error) {
      f32 *to = q->start_error + at_row;
      const f32 *carried = q->cell == GRU ? errors.carry : 0;
      BLOCKS(q->units, part_store(to + at, part_plus(output_error(&errors, 0, at, lanes), carried, at, lanes), lanes););
    }
    if (q->start_cell_error) copy_part(q->start_cell_error + at_row, errors.carry, q->units);
  }
}

/** The whole sequence for a group of rows, backward. */
static void run_backward_group(const StepProduct *p, i32 first, i32 rows) {
  const Recurrence *q = p->q;
  i32 tiles = part_count(rows, TILE_ROWS), wants_start = q->start_error || q->start_cell_error;
  for (i32 r = 0; r < rows; r++) {
    if (q->with_cell) copy_part(p->carry + (isize)r * q->units, last_cell(q, first + r), q->units);
    if (q->mask) copy_part(p->held + (isize)r * q->units, 0, q->units);
  }
  for (i32 step = q->steps - 1; step >= 0; step--) {
    i32 has_next = step < q->steps - 1;
    if (has_next) run_step_product(p, rows);
    for (i32 tile = 0; tile < tiles; tile++) {
      TileRows t = tile_rows(rows, tile);
      for (i32 r = t.from; r < t.to; r++) {
        const isize in_group = (isize)r * q->units;
        const StepErrors errors = {has_next ? p->sums + (isize)r * p->cols : 0, p->carry + in_group,
                                   has_next || q->with_cell, q->mask ? p->held + in_group : 0};
        run_backward_row(q, first + r, step, &errors);
      }
      if (step > 0 || wants_start) pack_operand(p, first, t, step);
    }
  }
  if (wants_start) {
    run_step_product(p, rows);
    finish_backward(p, first, rows);
  }
}

static void run_recurrence(const Recurrence *q, i32 backward, const Thread *thread) {
  const StepProduct p = step_product_of(q, backward, thread);
  i32 groups = part_count(q->rows, p.tiles * TILE_ROWS);
  for (i32 g = 0; g < groups; g++) {
    i32 first = part_start(q->rows, groups, g), rows = part_start(q->rows, groups, g + 1) - first;
    backward ? run_backward_group(&p, first, rows) : run_forward_group(&p, first, rows);
  }
}

#define LAYER(kind, count, has_cell)                                                                          \
  .cell = kind, .rows = rows, .steps = steps, .units = units, .gates = count, .sequences = sequences,        \
  .reverse = reverse, .with_cell = has_cell, .weights = weights, .z = z, .mask = mask

/** z [4 * units]: x W + b is replaced by the gates i, f, g, o. Writes y, and cells and previous for lstmBackward. */
KERNEL(lstmForward, PTR z, PTR weights, PTR mask, PTR start, PTR startCell, PTR cells, PTR previous, PTR y, I32 rows,
       I32 steps, I32 units, I32 sequences, I32 reverse, I32 withCell) {
  const Recurrence q = {
      LAYER(LSTM, 4, withCell), .start = start, .start_cell = startCell, .cells = cells, .previous = previous, .y = y};
  run_recurrence(&q, 0, thread);
}

/** z: the gates are replaced by their error terms. */
KERNEL(lstmBackward, PTR z, PTR weights, PTR mask, PTR startCell, PTR cells, PTR dy, PTR dStart, PTR dStartCell, I32 rows,
       I32 steps, I32 units, I32 sequences, I32 reverse, I32 withCell) {
  const Recurrence q = {LAYER(LSTM, 4, withCell), .start_cell = startCell, .cells = cells, .y = dy,
                        .start_error = dStart, .start_cell_error = dStartCell};
  run_recurrence(&q, 1, thread);
}

/** z [3 * units]: x W + b is replaced by the gates z, r, n. Writes the last third of sums [3 * units], previous and y. */
KERNEL(gruForward, PTR z, PTR weights, PTR bias, PTR mask, PTR start, PTR sums, PTR previous, PTR y, I32 rows, I32 steps,
       I32 units, I32 sequences, I32 reverse) {
  const Recurrence q = {LAYER(GRU, 3, 0), .bias = bias, .start = start, .sums = sums, .previous = previous, .y = y};
  run_recurrence(&q, 0, thread);
}

/** z: the gates are replaced by the error terms of x W + b. sums: replaced by the error terms of previous U + bias. */
KERNEL(gruBackward, PTR z, PTR weights, PTR mask, PTR sums, PTR previous, PTR dy, PTR dStart, I32 rows, I32 steps,
       I32 units, I32 sequences, I32 reverse) {
  const Recurrence q = {LAYER(GRU, 3, 0), .sums = sums, .previous = previous, .y = dy, .start_error = dStart};
  run_recurrence(&q, 1, thread);
}

/** z [units]: x W + b is replaced by the output. Writes previous and y. */
KERNEL(simpleRnnForward, PTR z, PTR weights, PTR mask, PTR start, PTR previous, PTR y, I32 rows, I32 steps, I32 units,
       I32 sequences, I32 reverse) {
  const Recurrence q = {LAYER(SIMPLE_RNN, 1, 0), .start = start, .previous = previous, .y = y};
  run_recurrence(&q, 0, thread);
}

/** z: the output is replaced by the error term of the argument of tanh. */
KERNEL(simpleRnnBackward, PTR z, PTR weights, PTR mask, PTR dy, PTR dStart, I32 rows, I32 steps, I32 units, I32 sequences,
       I32 reverse) {
  const Recurrence q = {LAYER(SIMPLE_RNN, 1, 0), .y = dy, .start_error = dStart};
  run_recurrence(&q, 1, thread);
}
