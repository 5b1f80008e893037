/**
 * Recurrent layers over whole sequences. `z` comes with the input's part of all gates, x W + b for every step at once
 * (one product, before the kernel is called); the kernels add what depends on the step before.
 *
 * The recurrent product of a step is a chain of its own, ascending over the units (backward: over the gates of all units),
 * and is added to the input's part; at the first step there is nothing to add. `previous` is what a product needs again for
 * the gradient of the recurrent weights: the output that each step began with, zeros at the first.
 *
 * Tensors are [rows, steps, ...]; `sequences` 0: y and dy are [rows, units], the output after the last step. `reverse` 1:
 * the sequence is walked from its end, and each output lies at the place of its input.
 */
#include "recurrent-cells.h"

/** A step of one row. */
static void run_row(const StepProduct *p, i32 row, i32 step, const f32 *sums, f32 *carry) {
  const Recurrence *q = p->q;
  switch (q->cell) {
    case LSTM:
      p->backward ? lstm_backward_row(q, row, step, sums, carry) : lstm_forward_row(q, row, step, sums);
      break;
    case GRU:
      p->backward ? gru_backward_row(q, row, step, sums, carry) : gru_forward_row(q, row, step, sums);
      break;
    case SIMPLE_RNN:
      p->backward ? simple_backward_row(q, row, step, sums) : simple_forward_row(q, row, step, sums);
  }
}

/** Copies what the next product reads of the rows of a tile, which a step has just written. */
static void pack_operand(const StepProduct *p, i32 row, i32 rows, i32 step, f32 *to) {
  const Recurrence *q = p->q;
  f32 *errors = q->cell == GRU ? q->sums : q->z;
  const f32 *from = p->backward ? at_step(q, errors, p->depth, row, step) : at_step(q, q->previous, p->depth, row, step + 1);
  pack_transposed(to, PACKED_ROWS, from, (isize)q->steps * p->depth, rows, p->depth);
}

/** The whole sequence for a group of rows. */
static void run_group(const StepProduct *p, i32 first, i32 rows) {
  const Recurrence *q = p->q;
  i32 tiles = part_count(rows, TILE_ROWS);
  for (i32 done = 0; done < q->steps; done++) {
    i32 step = p->backward ? q->steps - 1 - done : done;
    if (done > 0) run_step_product(p, rows);
    for (i32 t = 0; t < tiles; t++) {
      i32 from = part_start(rows, tiles, t), to = part_start(rows, tiles, t + 1);
      for (i32 r = from; r < to; r++) {
        const f32 *sums = done > 0 ? p->sums + (isize)r * p->cols : q->bias;
        run_row(p, first + r, step, sums, p->carry + (isize)r * q->units);
      }
      if (done < q->steps - 1)
        pack_operand(p, first + from, to - from, step, p->packed + (isize)t * p->depth * PACKED_ROWS);
    }
  }
}

static void run_recurrence(const Recurrence *q, i32 backward, const Thread *thread) {
  const StepProduct p = step_product_of(q, backward, thread);
  i32 groups = part_count(q->rows, p.tiles * TILE_ROWS);
  for (i32 g = 0; g < groups; g++) {
    i32 first = part_start(q->rows, groups, g), rows = part_start(q->rows, groups, g + 1) - first;
    if (!backward)
      for (i32 r = first; r < first + rows; r++) {
        f32 *start = at_step(q, q->previous, q->units, r, 0);
        BLOCKS(q->units, part_store(start + at, v_zero(), lanes););
      }
    run_group(&p, first, rows);
  }
}

#define LAYER(cell, gates) cell, rows, steps, units, gates, sequences, reverse

/** z [4 * units]: x W + b becomes the gates i, f, g, o; cells and previous are written for lstmBackward, and y. */
KERNEL(lstmForward, PTR z, PTR weights, PTR cells, PTR previous, PTR y, I32 rows, I32 steps, I32 units, I32 sequences,
       I32 reverse) {
  const Recurrence q = {LAYER(LSTM, 4), weights, 0, z, 0, cells, previous, y};
  run_recurrence(&q, 0, thread);
}

/** z: the gates become their error terms. */
KERNEL(lstmBackward, PTR z, PTR weights, PTR cells, PTR dy, I32 rows, I32 steps, I32 units, I32 sequences, I32 reverse) {
  const Recurrence q = {LAYER(LSTM, 4), weights, 0, z, 0, cells, 0, dy};
  run_recurrence(&q, 1, thread);
}

/** z [3 * units]: x W + b becomes the gates z, r, n; of sums [3 * units] the last third is written, and previous and y. */
KERNEL(gruForward, PTR z, PTR weights, PTR bias, PTR sums, PTR previous, PTR y, I32 rows, I32 steps, I32 units,
       I32 sequences, I32 reverse) {
  const Recurrence q = {LAYER(GRU, 3), weights, bias, z, sums, 0, previous, y};
  run_recurrence(&q, 0, thread);
}

/** z: the gates become the error terms of x W + b. sums: become their own error terms, those of previous U + bias. */
KERNEL(gruBackward, PTR z, PTR weights, PTR sums, PTR previous, PTR dy, I32 rows, I32 steps, I32 units, I32 sequences,
       I32 reverse) {
  const Recurrence q = {LAYER(GRU, 3), weights, 0, z, sums, 0, previous, dy};
  run_recurrence(&q, 1, thread);
}

/** z [units]: x W + b becomes the output; previous and y are written. */
KERNEL(simpleRnnForward, PTR z, PTR weights, PTR previous, PTR y, I32 rows, I32 steps, I32 units, I32 sequences,
       I32 reverse) {
  const Recurrence q = {LAYER(SIMPLE_RNN, 1), weights, 0, z, 0, 0, previous, y};
  run_recurrence(&q, 0, thread);
}

/** z: the output becomes its error term before tanh. */
KERNEL(simpleRnnBackward, PTR z, PTR weights, PTR dy, I32 rows, I32 steps, I32 units, I32 sequences, I32 reverse) {
  const Recurrence q = {LAYER(SIMPLE_RNN, 1), weights, 0, z, 0, 0, 0, dy};
  run_recurrence(&q, 1, thread);
}
