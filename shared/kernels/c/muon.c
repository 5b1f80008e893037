/**
 * The parts of Muon (Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024) that are not matrix
 * products. scalars: [learningRate, learningRate * weightDecay, momentum, 1 - momentum, nesterov (0 or 1)].
 */
#include "kernel.h"
#include "lanes.h"

/** m = flush(fma(s2, m, s3 * g))     out = nesterov ? fma(s2, m, s3 * g) : m */
KERNEL(muonMomentum, PTR gradient, PTR momentum, PTR out, I32 n, PTR scalars) {
  const f32 *s = scalars, *gradients = gradient;
  f32 *velocity = momentum, *y = out;
  const v16 keep = v_set(s[2]), add = v_set(s[3]);
  const i32 nesterov = s[4] != 0;
  BLOCKS(n, const v16 g = v_mul(add, block_load(gradients + at, lanes));
         const v16 m = v_flush(v_fma(keep, block_load(velocity + at, lanes), g));
         block_store(velocity + at, m, lanes);
         block_store(y + at, nesterov ? v_fma(keep, m, g) : m, lanes););
}

/** a = a / (norm + epsilon) with norm = sqrt(total[0] + 2^160 total[1]), the sums of sumSquares. */
KERNEL(normalizeVector, PTR a, PTR total, I32 n, F32 epsilon) {
  f32 *x = a;
  const f32 sum = ((const f32 *)total)[0], large = ((const f32 *)total)[1];
  if (large == 0) {
    const v16 norm = v_add(v_sqrt(v_set(sum)), v_set(epsilon));
    BLOCKS(n, block_store(x + at, v_div(block_load(x + at, lanes), norm), lanes););
    return;
  }
  const v16 shrink = v_set(0x1p-80f), norm = v_sqrt(v_set(sum * 0x1p-80f * 0x1p-80f + large));
  BLOCKS(n, block_store(x + at, v_div(v_mul(shrink, block_load(x + at, lanes)), norm), lanes););
}

/** out = fma(p, a, q * b) */
KERNEL(blendVectors, PTR a, PTR b, PTR out, I32 n, F32 p, F32 q) {
  const f32 *x = a, *y = b;
  f32 *z = out;
  const v16 first = v_set(p), second = v_set(q);
  BLOCKS(n, block_store(z + at, v_fma(first, block_load(x + at, lanes), v_mul(second, block_load(y + at, lanes))), lanes););
}

/** w = fma(-s0 * scale, direction, fma(-s1, w, w)) */
KERNEL(muonUpdate, PTR weights, PTR direction, I32 n, F32 scale, PTR scalars) {
  const f32 *s = scalars, *directions = direction;
  f32 *w = weights;
  const v16 step = v_set(-s[0] * scale), decay = v_set(-s[1]);
  BLOCKS(n, const v16 x = block_load(w + at, lanes);
         block_store(w + at, v_fma(step, block_load(directions + at, lanes), v_fma(decay, x, x)), lanes););
}
