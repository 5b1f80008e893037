/**
 * One step of one row, forward and backward, for each kind of cell. h is the output, h' that of the step before (0 before
 * the first step), x W + b the contribution of the input to the gates. `sums` is the recurrent product of the step, NULL
 * where there is none.
 */
#pragma once
#include "math.h"
#include "recurrence.h"

/** Where the output of a step goes: the tensor of outputs, and the previous output of the next step. */
typedef struct {
  f32 *y, *next;
} Outputs;

INLINE Outputs outputs_of(const Recurrence *q, i32 row, i32 step) {
  return (Outputs){output_at(q, row, step), at_step(q, q->previous, q->units, row, step + 1)};
}

INLINE void output_store(const Outputs *to, i32 at, v16 h, i32 lanes) {
  if (to->y) part_store(to->y + at, h, lanes);
  if (to->next) part_store(to->next + at, h, lanes);
}

/** Error terms of one row that come from the step after this one, and are overwritten with those for the step before. */
typedef struct {
  /** Of h, through the recurrent product; NULL where there is no step after this one. */
  const f32 *sums;
  /** Of c (LSTM) or of h (GRU), bypassing the product. Valid only if `is_carried`. */
  f32 *carry;
  i32 is_carried;
  /** Of h where the step after this one is padding, else zeros. NULL without a mask. */
  f32 *held;
} StepErrors;

/** Loads from a tensor that may be missing. */
INLINE v16 part_or_zero(const f32 *p, i32 at, i32 lanes) { return p ? part_load(p + at, lanes) : v_zero(); }

/** a + b, where b may be missing. */
INLINE v16 part_plus(v16 a, const f32 *b, i32 at, i32 lanes) { return b ? v_add(a, part_load(b + at, lanes)) : a; }

/** Copies; zeros where `from` is NULL. */
static void copy_part(f32 *to, const f32 *from, i32 n) {
  BLOCKS(n, part_store(to + at, part_or_zero(from, at, lanes), lanes););
}

/** dh = dy + sums + held */
INLINE v16 output_error(const StepErrors *errors, const f32 *dy, i32 at, i32 lanes) {
  return part_plus(part_plus(part_or_zero(dy, at, lanes), errors->sums, at, lanes), errors->held, at, lanes);
}

/** Gate k of a row: a function of the contribution z of the input plus `sums`, which may be missing. */
#define GATE(function, k) function(part_plus(part_load(z + (k) * n + at, lanes), sums, (k) * n + at, lanes))

/** Derivative of the logistic function, y - y*y fused. */
INLINE v16 sigmoid_slope(v16 y) { return v_fma(v_neg(y), y, y); }
/** Derivative of tanh, 1 - y*y fused. */
INLINE v16 tanh_slope(v16 y) { return v_fma(v_neg(y), y, v_set(1)); }

/**
 *   z = (x W + b) + h' U     i, f, o = sigmoid(z_i, z_f, z_o)   g = tanh(z_g)     c = fma(f, c', i*g)     h = o * tanh(c)
 *
 * q->z: x W + b is replaced by i, f, g, o.
 */
static void lstm_forward_row(const Recurrence *q, i32 row, i32 step, const f32 *sums) {
  const i32 n = q->units;
  f32 *z = at_step(q, q->z, 4 * n, row, step);
  f32 *cell = at_step(q, q->cells, n, row, step);
  const f32 *before = cell_before(q, row, step);
  const Outputs to = outputs_of(q, row, step);
  BLOCKS_LONG(n, {
    const v16 i = GATE(v_sigmoid, 0), f = GATE(v_sigmoid, 1), g = GATE(v_tanh, 2), o = GATE(v_sigmoid, 3);
    const v16 c = v_fma(f, part_or_zero(before, at, lanes), v_mul(i, g));
    part_store(z + at, i, lanes);
    part_store(z + n + at, f, lanes);
    part_store(z + 2 * n + at, g, lanes);
    part_store(z + 3 * n + at, o, lanes);
    part_store(cell + at, c, lanes);
    output_store(&to, at, v_mul(o, v_tanh(c)), lanes);
  })
}

/**
 *   dh = dy + sums, e = tanh(c)      dc = dh*o*(1 - e*e) + carry
 *   dz_i = dc*g*(i - i*i)   dz_f = dc*c'*(f - f*f)   dz_g = dc*i*(1 - g*g)   dz_o = dh*e*(o - o*o)
 *
 * carry: the error term of c from the step after this one, replaced by dc*f. q->z: i, f, g, o are replaced by their dz.
 */
static void lstm_backward_row(const Recurrence *q, i32 row, i32 step, const StepErrors *errors) {
  const i32 n = q->units;
  f32 *z = at_step(q, q->z, 4 * n, row, step);
  const f32 *cell = at_step(q, q->cells, n, row, step);
  const f32 *before = cell_before(q, row, step);
  const f32 *dy = output_at(q, row, step);
  BLOCKS_LONG(n, {
    const v16 i = part_load(z + at, lanes), f = part_load(z + n + at, lanes);
    const v16 g = part_load(z + 2 * n + at, lanes), o = part_load(z + 3 * n + at, lanes);
    const v16 e = v_tanh(part_load(cell + at, lanes));
    const v16 dh = output_error(errors, dy, at, lanes);
    const v16 direct = v_mul(v_mul(dh, o), tanh_slope(e));
    const v16 dc = part_plus(direct, errors->is_carried ? errors->carry : 0, at, lanes);
    part_store(z + at, v_mul(v_mul(dc, g), sigmoid_slope(i)), lanes);
    part_store(z + n + at, v_mul(v_mul(dc, part_or_zero(before, at, lanes)), sigmoid_slope(f)), lanes);
    part_store(z + 2 * n + at, v_mul(v_mul(dc, i), tanh_slope(g)), lanes);
    part_store(z + 3 * n + at, v_mul(v_mul(dh, e), sigmoid_slope(o)), lanes);
    part_store(errors->carry + at, v_mul(dc, f), lanes);
  })
}

/**
 * With the reset gate after the product, as in Keras (reset_after) and PyTorch:
 *
 *   s = h' U + b'     z, r = sigmoid((x W + b) + s)     n = tanh(fma(r, s_n, (x W + b)_n))     h = fma(z, h' - n, n)
 *
 * q->z: x W + b is replaced by z, r, n. q->sums: s_n in its last third.
 */
static void gru_forward_row(const Recurrence *q, i32 row, i32 step, const f32 *sums) {
  const i32 n = q->units;
  f32 *z = at_step(q, q->z, 3 * n, row, step);
  f32 *candidate = at_step(q, q->sums, 3 * n, row, step) + 2 * n;
  const f32 *before = at_step(q, q->previous, n, row, step);
  const Outputs to = outputs_of(q, row, step);
  BLOCKS_LONG(n, {
    const v16 update = GATE(v_sigmoid, 0), reset = GATE(v_sigmoid, 1);
    const v16 s = part_load(sums + 2 * n + at, lanes);
    const v16 fresh = v_tanh(v_fma(reset, s, part_load(z + 2 * n + at, lanes)));
    part_store(z + at, update, lanes);
    part_store(z + n + at, reset, lanes);
    part_store(z + 2 * n + at, fresh, lanes);
    part_store(candidate + at, s, lanes);
    output_store(&to, at, v_fma(update, v_sub(part_load(before + at, lanes), fresh), fresh), lanes);
  })
}

/**
 *   dh = (dy + sums) + carry
 *   dz_z = dh*(h' - n)*(z - z*z)   dz_n = (dh - dh*z)*(1 - n*n)   dz_r = dz_n*s_n*(r - r*r)   ds = dz_z, dz_r, dz_n*r
 *
 * sums and carry: the error terms of h from the step after this one, through the product and bypassing it; carry is
 * replaced by dh*z. q->z: z, r, n are replaced by their dz. q->sums: replaced by ds.
 */
static void gru_backward_row(const Recurrence *q, i32 row, i32 step, const StepErrors *errors) {
  const i32 n = q->units;
  f32 *z = at_step(q, q->z, 3 * n, row, step);
  f32 *ds = at_step(q, q->sums, 3 * n, row, step);
  const f32 *before = at_step(q, q->previous, n, row, step);
  const f32 *dy = output_at(q, row, step);
  BLOCKS_LONG(n, {
    const v16 update = part_load(z + at, lanes), reset = part_load(z + n + at, lanes);
    const v16 fresh = part_load(z + 2 * n + at, lanes), s = part_load(ds + 2 * n + at, lanes);
    const v16 dh = part_plus(output_error(errors, dy, at, lanes), errors->is_carried ? errors->carry : 0, at, lanes);
    const v16 kept = v_mul(dh, update);
    const v16 d_update = v_mul(v_mul(dh, v_sub(part_load(before + at, lanes), fresh)), sigmoid_slope(update));
    const v16 d_fresh = v_mul(v_sub(dh, kept), tanh_slope(fresh));
    const v16 d_reset = v_mul(v_mul(d_fresh, s), sigmoid_slope(reset));
    part_store(z + at, d_update, lanes);
    part_store(z + n + at, d_reset, lanes);
    part_store(z + 2 * n + at, d_fresh, lanes);
    part_store(ds + at, d_update, lanes);
    part_store(ds + n + at, d_reset, lanes);
    part_store(ds + 2 * n + at, v_mul(d_fresh, reset), lanes);
    part_store(errors->carry + at, kept, lanes);
  })
}

/** h = tanh((x W + b) + h' U). q->z: x W + b is replaced by h. */
static void simple_forward_row(const Recurrence *q, i32 row, i32 step, const f32 *sums) {
  const i32 n = q->units;
  f32 *z = at_step(q, q->z, n, row, step);
  const Outputs to = outputs_of(q, row, step);
  BLOCKS_LONG(n, {
    const v16 h = GATE(v_tanh, 0);
    part_store(z + at, h, lanes);
    output_store(&to, at, h, lanes);
  })
}

/** dz = (dy + sums) * (1 - h*h). q->z: h is replaced by dz. */
static void simple_backward_row(const Recurrence *q, i32 row, i32 step, const StepErrors *errors) {
  const i32 n = q->units;
  f32 *z = at_step(q, q->z, n, row, step);
  const f32 *dy = output_at(q, row, step);
  BLOCKS_LONG(n, {
    const v16 dh = output_error(errors, dy, at, lanes);
    part_store(z + at, v_mul(dh, tanh_slope(part_load(z + at, lanes))), lanes);
  })
}

/** A step that is padding: output and cell keep their values. */
static void padding_forward_row(const Recurrence *q, i32 row, i32 step) {
  const i32 n = q->units;
  const f32 *h = at_step(q, q->previous, n, row, step), *c = cell_before(q, row, step);
  const Outputs to = outputs_of(q, row, step);
  BLOCKS_LONG(n, {
    output_store(&to, at, part_load(h + at, lanes), lanes);
    if (q->cells) part_store(at_step(q, q->cells, n, row, step) + at, part_or_zero(c, at, lanes), lanes);
  })
}

/** A step that is padding, backward: the error terms are passed on unchanged, and those of the gates are 0. */
static void padding_backward_row(const Recurrence *q, i32 row, i32 step, const StepErrors *errors) {
  const i32 n = q->units;
  const f32 *dy = output_at(q, row, step);
  BLOCKS_LONG(n, {
    const v16 dh = output_error(errors, dy, at, lanes);
    const v16 carried = part_or_zero(errors->is_carried ? errors->carry : 0, at, lanes);
    part_store(errors->held + at, dh, lanes);
    part_store(errors->carry + at, carried, lanes);
  })
  f32 *gate_errors[2] = {at_step(q, q->z, q->gates * n, row, step),
                         q->cell == GRU ? at_step(q, q->sums, q->gates * n, row, step) : 0};
  for (i32 k = 0; k < 2; k++)
    if (gate_errors[k]) BLOCKS(q->gates * n, part_store(gate_errors[k] + at, v_zero(), lanes););
}
