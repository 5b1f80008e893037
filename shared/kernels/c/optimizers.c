/** One pass of an optimizer over the flat vector of parameters. All vectors are updated in place. */
#include "kernel.h"
#include "lanes.h"

/**
 * Stochastic gradient descent as PyTorch defines it. scalars: [learningRate, momentum, nesterov (0 or 1), weightDecay].
 *
 *     g = fma(weightDecay, w, g)     m = fma(momentum, m, g)
 *     w = fma(-learningRate, nesterov ? fma(momentum, m, g) : m, w)
 */
KERNEL(sgdUpdate, PTR weights, PTR gradient, PTR momentum, I32 n, PTR scalars) {
  const f32 *s = scalars, *gradients = gradient;
  f32 *w = weights, *velocity = momentum;
  const v16 descent = v_set(-s[0]), inertia = v_set(s[1]), decay = v_set(s[3]);
  const i32 nesterov = s[2] != 0;
  BLOCKS_LONG(n, const v16 x = part_load(w + at, lanes);
         const v16 g = v_fma(decay, x, part_load(gradients + at, lanes));
         const v16 m = v_fma(inertia, part_load(velocity + at, lanes), g);
         const v16 step = nesterov ? v_fma(inertia, m, g) : m;
         part_store(velocity + at, m, lanes);
         part_store(w + at, v_fma(descent, step, x), lanes););
}

/**
 * Adam (Kingma, Ba 2015) with decoupled weight decay, as PyTorch defines it. scalars: [learningRate / (1 - beta1^t),
 * beta1, 1 - beta1, beta2, 1 - beta2, 1 / (1 - beta2^t), epsilon, learningRate * weightDecay].
 *
 *     m = fma(s2, g, s1 * m)      v = fma(s4 * g, g, s3 * v)
 *     w = fma(-s7, w, w)          w = fma(-s0, m / (sqrt(v * s5) + s6), w)
 */
KERNEL(adamUpdate, PTR weights, PTR gradient, PTR m, PTR v, I32 n, PTR scalars) {
  const f32 *s = scalars, *gradients = gradient;
  f32 *w = weights, *mean = m, *variance = v;
  const v16 step = v_set(-s[0]), decay = v_set(-s[7]), epsilon = v_set(s[6]), unbias = v_set(s[5]);
  const v16 keep_mean = v_set(s[1]), add_mean = v_set(s[2]), keep_variance = v_set(s[3]), add_variance = v_set(s[4]);
  BLOCKS_LONG(n, const v16 g = part_load(gradients + at, lanes);
         const v16 x = part_load(w + at, lanes);
         const v16 a = v_fma(add_mean, g, v_mul(keep_mean, part_load(mean + at, lanes)));
         const v16 b = v_fma(v_mul(add_variance, g), g, v_mul(keep_variance, part_load(variance + at, lanes)));
         const v16 root = v_add(v_sqrt(v_mul(b, unbias)), epsilon);
         part_store(mean + at, a, lanes);
         part_store(variance + at, b, lanes);
         part_store(w + at, v_fma(step, v_div(a, root), v_fma(decay, x, x)), lanes););
}
