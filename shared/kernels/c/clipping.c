/** Gradients that are too large are made smaller, in place. NaN stays NaN. */
#include "kernel.h"
#include "lanes.h"

/** a = a, but no further from 0 than `limit`. */
KERNEL(clampVector, PTR a, I32 n, F32 limit) {
  f32 *x = a;
  const v16 most = v_set(limit), least = v_set(-limit);
  BLOCKS(n, const v16 p = block_load(x + at, lanes); const v16 q = v_select(v_lt(most, p), most, p);
         block_store(x + at, v_select(v_lt(q, least), least, q), lanes););
}

/**
 * a = a * (norm > limit ? limit / norm : 1) with norm = sqrt(total[0]): a stretch of a vector whose squares add up to
 * total (Pascanu, Mikolov, Bengio: on the difficulty of training recurrent neural networks, 2013).
 */
KERNEL(shrinkVector, PTR a, PTR total, I32 n, F32 limit) {
  f32 *x = a;
  const v16 most = v_set(limit), norm = v_sqrt(v_set(*(const f32 *)total));
  const v16 factor = v_select(v_lt(most, norm), v_div(most, norm), v_set(1));
  BLOCKS(n, block_store(x + at, v_mul(factor, block_load(x + at, lanes)), lanes););
}
