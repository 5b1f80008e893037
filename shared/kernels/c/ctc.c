/**
 * Connectionist temporal classification (Graves et al. 2006): the probability of a row of labels given a row of outputs,
 * summed over all alignments of the labels with the steps, with blanks (class 0) between them.
 *
 * The labels of a row with blanks around each are its states, 2 * count + 1. With y the softmax of a step and q its
 * value for the symbol of a state:
 *
 *     alpha_t(s) = q_t(s) * (alpha_t-1(s) + alpha_t-1(s - 1) + [the state before s may be skipped] alpha_t-1(s - 2)) / c_t
 *     beta_t(s) = (beta_t+1(s) * q_t+1(s) + the same of s + 1 + [s + 1 may be skipped] of s + 2) / c_t+1
 *     p = product of c_t      gamma_t(s) = alpha_t(s) * beta_t(s), the share of p of the alignments that are in s at step t
 *
 * with c_t such that the alpha of a step sum to 1 (Rabiner, "A tutorial on hidden Markov models", 1989). In double
 * precision, since terms of p may be smaller than the smallest float; additions in the order of the states.
 */
#include "softmax.h"

/** Lower bound of a symbol's probability: the logarithm stays finite, as it would with logits in place of probabilities. */
#define SYMBOL_LEAST 0x1p-100
/** Lower bound of the sum over the states of a step, which is smaller only if no alignment is possible. */
#define STEP_LEAST 0x1p-1000

/** Number of labels before the first 0, which is padding; -1 when one of them is not a class. */
INLINE i32 ctc_count(const i32 *labels, i32 length, i32 cols) {
  for (i32 i = 0; i < length; i++) {
    if (labels[i] == 0) return i;
    if ((u32)labels[i] >= (u32)cols) return -1;
  }
  return length;
}

/** Fewest steps that the labels need: one each, and a blank between equal neighbours. */
INLINE i32 ctc_least_steps(const i32 *labels, i32 count) {
  i32 steps = count;
  for (i32 i = 1; i < count; i++) steps += labels[i] == labels[i - 1];
  return steps;
}

/** The probability of the symbol of a state at one step. */
INLINE f64 ctc_symbol(const f32 *y, const i32 *labels, i32 state) {
  const f64 q = y[state & 1 ? labels[state >> 1] : 0];
  return q < SYMBOL_LEAST ? SYMBOL_LEAST : q;
}

/** Whether a state may follow the state two before it: it is a label that differs from the label before. */
INLINE i32 ctc_may_skip_to(const i32 *labels, i32 state) {
  return (state & 1) && state >= 3 && labels[state >> 1] != labels[(state >> 1) - 1];
}

/** Computes alpha [steps, states] and the c of each step. States from which the end cannot be reached stay 0. */
INLINE void ctc_walk_forward(const f32 *y, const i32 *labels, i32 steps, i32 cols, i32 states, f64 *alpha, f64 *c) {
  for (i32 t = 0; t < steps; t++) {
    const f64 *before = alpha + (t - 1) * states;
    f64 *now = alpha + t * states, total = 0;
    for (i32 s = 0; s < states; s++) {
      f64 reached = t == 0 ? (s < 2 ? 1 : 0) : before[s];
      if (t > 0 && s >= 1) reached += before[s - 1];
      if (t > 0 && ctc_may_skip_to(labels, s)) reached += before[s - 2];
      now[s] = s >= states - 2 * (steps - t) ? reached * ctc_symbol(y + t * cols, labels, s) : 0;
      total += now[s];
    }
    c[t] = total > STEP_LEAST ? total : STEP_LEAST;
    for (i32 s = 0; s < states; s++) now[s] /= c[t];
  }
}

/** Subtracts gamma from y: the result is the error term of the logits. */
INLINE void ctc_walk_back(f32 *y, const i32 *labels, i32 steps, i32 cols, i32 states, f64 *alpha, const f64 *c,
                          f64 *beta) {
  for (i32 s = 0; s < states; s++) beta[s] = s >= states - 2 ? 1 : 0;
  for (i32 t = steps - 1; t >= 0; t--) {
    f64 *gamma = alpha + t * states;
    for (i32 s = 0; s < states; s++) gamma[s] *= beta[s];
    // In place: a state reads only itself and later states.
    for (i32 s = 0; s < states; s++) {
      f64 sum = beta[s] * ctc_symbol(y + t * cols, labels, s);
      if (s + 1 < states) sum += beta[s + 1] * ctc_symbol(y + t * cols, labels, s + 1);
      if (s + 2 < states && ctc_may_skip_to(labels, s + 2)) sum += beta[s + 2] * ctc_symbol(y + t * cols, labels, s + 2);
      beta[s] = sum / c[t];
    }
    for (i32 s = 0; s < states; s++) y[t * cols + (s & 1 ? labels[s >> 1] : 0)] -= (f32)gamma[s];
  }
}

/** Sum of -ln c, in order. */
INLINE f32 ctc_loss(const f64 *c, i32 steps) {
  f32 sum = 0;
  for (i32 from = 0; from < steps; from += 16) {
    const i32 n = steps - from < 16 ? steps - from : 16;
    f32 logs[16];
    for (i32 i = 0; i < n; i++) logs[i] = (f32)(c[from + i] < 0x1p-126 ? 0x1p-126 : c[from + i]);
    v_store_n(logs, v_log(v_load_n(logs, n)), n);
    for (i32 i = 0; i < n; i++) sum -= logs[i];
  }
  return sum;
}

/**
 * loss = -ln p for each row, errors = y - (sum of gamma by class), the error term of the logits. logits and errors are
 * [rows, steps, cols], labels [rows, length], padded with 0. Labels that do not fit into the steps: loss 0, errors 0. A
 * label that is not a class: loss NaN, errors 0. errors may be logits. The workspace must hold steps * (2 * length + 2) +
 * 2 * length + 1 doubles.
 */
KERNEL(ctcForward, PTR logits, PTR labels, PTR errors, PTR loss, I32 rows, I32 steps, I32 cols, I32 length) {
  for (i32 r = 0; r < rows; r++) {
    const f32 *x = (const f32 *)logits + r * steps * cols;
    f32 *y = (f32 *)errors + r * steps * cols;
    const i32 *row = (const i32 *)labels + r * length;
    const i32 count = ctc_count(row, length, cols), states = 2 * count + 1;
    if (count < 0 || ctc_least_steps(row, count) > steps) {
      for (i32 i = 0; i < steps * cols; i++) y[i] = 0;
      ((f32 *)loss)[r] = count < 0 ? __builtin_nanf("") : 0;
      continue;
    }
    for (i32 t = 0; t < steps; t++) softmax_row(x + t * cols, y + t * cols, cols, row_max(x + t * cols, cols));
    f64 *alpha = (f64 *)thread->workspace, *c = alpha + steps * states, *beta = c + steps;
    ctc_walk_forward(y, row, steps, cols, states, alpha, c);
    ctc_walk_back(y, row, steps, cols, states, alpha, c, beta);
    ((f32 *)loss)[r] = ctc_loss(c, steps);
  }
}
