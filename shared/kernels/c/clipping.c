/** Gradient clipping and regularisation, in place. NaN stays NaN. */
#include "kernel.h"
#include "lanes.h"

/** a = a limited to [-limit, limit]. */
KERNEL(clampVector, PTR a, I32 n, F32 limit) {
  f32 *x = a;
  const v16 most = v_set(limit), least = v_set(-limit);
  BLOCKS(n, const v16 p = block_load(x + at, lanes); const v16 q = v_select(v_lt(most, p), most, p);
         block_store(x + at, v_select(v_lt(q, least), least, q), lanes););
}

/**
 * a = a * (norm > limit ? limit / norm : 1): a part of a vector whose norm is sqrt(total[0] + 2^160 total[1]), the sums of
 * sumSquares (Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks", 2013).
 */
KERNEL(shrinkVector, PTR a, PTR total, I32 n, F32 limit) {
  f32 *x = a;
  const f32 sum = ((const f32 *)total)[0], large = ((const f32 *)total)[1];
  const v16 most = v_set(limit);
  if (large == 0) {
    const v16 norm = v_sqrt(v_set(sum));
    const v16 factor = v_select(v_lt(most, norm), v_div(most, norm), v_set(1));
    BLOCKS(n, block_store(x + at, v_mul(factor, block_load(x + at, lanes)), lanes););
    return;
  }
  // The norm may be larger than the largest float; norm * 2^-80 is not.
  const v16 shrink = v_set(0x1p-80f), norm = v_sqrt(v_set(sum * 0x1p-80f * 0x1p-80f + large));
  const v16 factor = v_div(most, norm);
  const m16 is_short = v_lt(norm, v_mul(most, shrink));
  BLOCKS(n, const v16 p = block_load(x + at, lanes);
         block_store(x + at, v_select(is_short, p, v_mul(factor, v_mul(shrink, p))), lanes););
}

/**
 * Adds the gradient of the regularisation, once a step: the derivative of l1 |w| + l2 w^2.
 *
 *     g = fma(l1, sign(w), fma(2 l2, w, g))
 */
KERNEL(addPenalty, PTR gradient, PTR weights, I32 n, F32 l1, F32 l2) {
  f32 *g = gradient;
  const f32 *w = weights;
  const v16 slope = v_set(l1), pull = v_set(2 * l2);
  BLOCKS(n, const v16 x = block_load(w + at, lanes); const v16 down = v_select(v_lt(x, v_zero()), v_set(-1), x);
         const v16 sign = v_select(v_lt(v_zero(), x), v_set(1), down);
         block_store(g + at, v_fma(slope, sign, v_fma(pull, x, block_load(g + at, lanes))), lanes););
}
