/** Activation functions whose backward pass needs the input. In place allowed. */
#include "kernel.h"
#include "math.h"

/** out[i] = expression of p = a[i]. */
#define ACTIVATE(out, a, expression)                                      \
  BLOCKS_LONG(n, const v16 p = part_load((const f32 *)(a) + at, lanes);   \
              part_store((f32 *)(out) + at, expression, lanes);)

/** dx[i] = dy[i] * expression of p = x[i]. */
#define ACTIVATE_BACKWARD(expression)                                     \
  BLOCKS_LONG(n, const v16 p = part_load((const f32 *)x + at, lanes);     \
              const v16 q = part_load((const f32 *)dy + at, lanes);       \
              part_store((f32 *)dx + at, v_mul(q, expression), lanes);)

#define SQRT_HALF 0x1.6a09e6p-1f
#define SQRT_HALF_PI_INVERSE 0x1.988454p-2f

/** x / 2 * (1 + erf(x / sqrt 2)), the sum fused. */
INLINE v16 v_gelu(v16 x) {
  const v16 half = v_mul(x, v_set(0.5f));
  return v_fma(half, v_erf(v_mul(x, v_set(SQRT_HALF))), half);
}

/** (1 + erf(x / sqrt 2)) / 2 + x * e^(-x^2 / 2) / sqrt(2 pi) */
INLINE v16 v_gelu_slope(v16 x) {
  const v16 share = v_fma(v_set(0.5f), v_erf(v_mul(x, v_set(SQRT_HALF))), v_set(0.5f));
  const v16 density = v_mul(v_exp(v_mul(v_mul(x, v_set(-0.5f)), x)), v_set(SQRT_HALF_PI_INVERSE));
  return v_fma(x, density, share);
}

/** s + x * s * (1 - s) with s = sigmoid x */
INLINE v16 v_silu_slope(v16 x) {
  const v16 s = v_sigmoid(x);
  return v_fma(x, v_mul(s, v_sub(v_set(1), s)), s);
}

/** y = gelu(x), the exact form: x times the standard normal distribution function of x. */
KERNEL(geluForward, PTR x, PTR y, I32 n) { ACTIVATE(y, x, v_gelu(p)); }

/** dx = dy * gelu'(x) */
KERNEL(geluBackward, PTR x, PTR dy, PTR dx, I32 n) { ACTIVATE_BACKWARD(v_gelu_slope(p)); }

/** y = x * sigmoid(x) */
KERNEL(siluForward, PTR x, PTR y, I32 n) { ACTIVATE(y, x, v_mul(p, v_sigmoid(p))); }

/** dx = dy * silu'(x) */
KERNEL(siluBackward, PTR x, PTR dy, PTR dx, I32 n) { ACTIVATE_BACKWARD(v_silu_slope(p)); }

/** y = x > 0 ? x : slope * x */
KERNEL(leakyReluForward, PTR x, PTR y, I32 n, F32 slope) {
  const v16 factor = v_set(slope);
  ACTIVATE(y, x, v_select(v_gt(p, v_zero()), p, v_mul(p, factor)));
}

/** dx = x > 0 ? dy : slope * dy */
KERNEL(leakyReluBackward, PTR x, PTR dy, PTR dx, I32 n, F32 slope) {
  const v16 factor = v_set(slope);
  ACTIVATE_BACKWARD(v_select(v_gt(p, v_zero()), v_set(1), factor));
}
