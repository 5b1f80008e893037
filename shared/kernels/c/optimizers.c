/**
 * One pass of an optimizer over the flat vector of parameters. All vectors are updated in place. Moving averages below
 * 2^-100 are set to 0 (`v_flush`): where gradients stay 0, subnormals would slow down all following steps otherwise.
 */
#include "kernel.h"
#include "lanes.h"

/**
 * Stochastic gradient descent as PyTorch defines it. scalars: [learningRate, momentum, nesterov (0 or 1), weightDecay].
 *
 *     g = fma(weightDecay, w, g)     m = flush(fma(momentum, m, g))
 *     w = fma(-learningRate, nesterov ? fma(momentum, m, g) : m, w)
 */
KERNEL(sgdUpdate, PTR weights, PTR gradient, PTR momentum, I32 n, PTR scalars) {
  const f32 *s = scalars, *gradients = gradient;
  f32 *w = weights, *velocity = momentum;
  const v16 descent = v_set(-s[0]), inertia = v_set(s[1]), decay = v_set(s[3]);
  const i32 nesterov = s[2] != 0;
  BLOCKS(n, const v16 x = block_load(w + at, lanes);
         const v16 g = v_fma(decay, x, block_load(gradients + at, lanes));
         const v16 m = v_flush(v_fma(inertia, block_load(velocity + at, lanes), g));
         const v16 step = nesterov ? v_fma(inertia, m, g) : m;
         block_store(velocity + at, m, lanes);
         block_store(w + at, v_fma(descent, step, x), lanes););
}

/**
 * Adam (Kingma, Ba 2015) with decoupled weight decay, as PyTorch defines it. scalars: [learningRate / (1 - beta1^t),
 * beta1, 1 - beta1, beta2, 1 - beta2, 1 / (1 - beta2^t), epsilon, learningRate * weightDecay].
 *
 *     m = flush(fma(s2, g, s1 * m))      v = flush(fma(s4 * h, h, s3 * v)) with h = |g| < 2^-50 ? 0 : g
 *     w = fma(-s7, w, w)                 w = fma(-s0, m / (sqrt(v * s5) + s6), w)
 *
 * (the square of a smaller gradient is below 2^-100, or subnormal).
 */
KERNEL(adamUpdate, PTR weights, PTR gradient, PTR m, PTR v, I32 n, PTR scalars) {
  const f32 *s = scalars, *gradients = gradient;
  f32 *w = weights, *mean = m, *variance = v;
  const v16 step = v_set(-s[0]), decay = v_set(-s[7]), epsilon = v_set(s[6]), unbias = v_set(s[5]);
  const v16 keep_mean = v_set(s[1]), add_mean = v_set(s[2]), keep_variance = v_set(s[3]), add_variance = v_set(s[4]);
  // Each value is used completely before the next one is computed: sixteen lanes take many of the registers of wasm.
  BLOCKS(n, const v16 g = block_load(gradients + at, lanes);
         const v16 a = v_flush(v_fma(add_mean, g, v_mul(keep_mean, block_load(mean + at, lanes))));
         block_store(mean + at, a, lanes);
         const v16 h = v_select(v_lt(v_abs(g), v_set(0x1p-50f)), v_zero(), g);
         const v16 kept = v_mul(keep_variance, block_load(variance + at, lanes));
         const v16 b = v_flush(v_fma(v_mul(add_variance, h), h, kept));
         block_store(variance + at, b, lanes);
         const v16 ratio = v_div(a, v_add(v_sqrt(v_mul(b, unbias)), epsilon));
         const v16 x = block_load(w + at, lanes);
         block_store(w + at, v_fma(step, ratio, v_fma(decay, x, x)), lanes););
}

/**
 * RMSprop (Tieleman, Hinton 2012) as PyTorch defines it. scalars: [learningRate, rho, 1 - rho, epsilon, momentum,
 * weightDecay].
 *
 *     g = fma(s5, w, g)     v = flush(fma(s2 * h, h, s1 * v)) with h = |g| < 2^-50 ? 0 : g
 *     m = flush(fma(s4, m, g / (sqrt(v) + s3)))     w = fma(-s0, m, w)
 */
KERNEL(rmspropUpdate, PTR weights, PTR gradient, PTR v, PTR momentum, I32 n, PTR scalars) {
  const f32 *s = scalars, *gradients = gradient;
  f32 *w = weights, *variance = v, *velocity = momentum;
  const v16 descent = v_set(-s[0]), keep = v_set(s[1]), add = v_set(s[2]), epsilon = v_set(s[3]);
  const v16 inertia = v_set(s[4]), decay = v_set(s[5]);
  BLOCKS(n, const v16 x = block_load(w + at, lanes);
         const v16 g = v_fma(decay, x, block_load(gradients + at, lanes));
         const v16 h = v_select(v_lt(v_abs(g), v_set(0x1p-50f)), v_zero(), g);
         const v16 b = v_flush(v_fma(v_mul(add, h), h, v_mul(keep, block_load(variance + at, lanes))));
         block_store(variance + at, b, lanes);
         const v16 ratio = v_div(g, v_add(v_sqrt(b), epsilon));
         const v16 m = v_flush(v_fma(inertia, block_load(velocity + at, lanes), ratio));
         block_store(velocity + at, m, lanes);
         block_store(w + at, v_fma(descent, m, x), lanes););
}

/**
 * Adagrad (Duchi, Hazan, Singer 2011) as PyTorch defines it. scalars: [learningRate, epsilon, weightDecay].
 *
 *     g = fma(s2, w, g)     v = fma(h, h, v) with h = |g| < 2^-50 ? 0 : g     w = fma(-s0, g / (sqrt(v) + s1), w)
 */
KERNEL(adagradUpdate, PTR weights, PTR gradient, PTR v, I32 n, PTR scalars) {
  const f32 *s = scalars, *gradients = gradient;
  f32 *w = weights, *sum = v;
  const v16 descent = v_set(-s[0]), epsilon = v_set(s[1]), decay = v_set(s[2]);
  BLOCKS(n, const v16 x = block_load(w + at, lanes);
         const v16 g = v_fma(decay, x, block_load(gradients + at, lanes));
         const v16 h = v_select(v_lt(v_abs(g), v_set(0x1p-50f)), v_zero(), g);
         const v16 b = v_fma(h, h, block_load(sum + at, lanes)); block_store(sum + at, b, lanes);
         const v16 ratio = v_div(g, v_add(v_sqrt(b), epsilon));
         block_store(w + at, v_fma(descent, ratio, x), lanes););
}

/**
 * Lion (Chen et al., "Symbolic discovery of optimization algorithms", 2023). scalars: [learningRate, beta1, 1 - beta1,
 * beta2, 1 - beta2, learningRate * weightDecay]. The sign of 0 is 0, that of NaN is NaN.
 *
 *     c = fma(s2, g, s1 * m)     w = fma(-s0, sign(c), fma(-s5, w, w))     m = flush(fma(s4, g, s3 * m))
 */
KERNEL(lionUpdate, PTR weights, PTR gradient, PTR m, I32 n, PTR scalars) {
  const f32 *s = scalars, *gradients = gradient;
  f32 *w = weights, *mean = m;
  const v16 descent = v_set(-s[0]), decay = v_set(-s[5]);
  const v16 keep_step = v_set(s[1]), add_step = v_set(s[2]), keep_mean = v_set(s[3]), add_mean = v_set(s[4]);
  BLOCKS(n, const v16 g = block_load(gradients + at, lanes); const v16 before = block_load(mean + at, lanes);
         const v16 c = v_fma(add_step, g, v_mul(keep_step, before));
         block_store(mean + at, v_flush(v_fma(add_mean, g, v_mul(keep_mean, before))), lanes);
         const v16 down = v_select(v_lt(c, v_zero()), v_set(-1), c);
         const v16 sign = v_select(v_lt(v_zero(), c), v_set(1), down);
         const v16 x = block_load(w + at, lanes);
         block_store(w + at, v_fma(descent, sign, v_fma(decay, x, x)), lanes););
}
