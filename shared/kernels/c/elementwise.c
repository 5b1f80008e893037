/** Functions of one element. In place allowed. Backward functions need the output of the forward function. */
#include "kernel.h"
#include "math.h"

/** out[i] = expression of p, which is a[i]. */
#define MAP(out, a, expression)                                      \
  BLOCKS(n, const v16 p = block_load((const f32 *)(a) + at, lanes);   \
         block_store((f32 *)(out) + at, expression, lanes);)

/** The same for a long expression. */
#define MAP_LONG(out, a, expression)                                      \
  BLOCKS_LONG(n, const v16 p = block_load((const f32 *)(a) + at, lanes);   \
              block_store((f32 *)(out) + at, expression, lanes);)

/** out[i] = expression of p and q, which are a[i] and b[i]. */
#define MAP_TWO(out, a, b, expression)                               \
  BLOCKS(n, const v16 p = block_load((const f32 *)(a) + at, lanes);   \
         const v16 q = block_load((const f32 *)(b) + at, lanes);      \
         block_store((f32 *)(out) + at, expression, lanes);)

/** y = max(0, x); NaN and -0 stay what they are. */
KERNEL(reluForward, PTR x, PTR y, I32 n) { MAP(y, x, v_relu(p)); }

/** dx = y > 0 ? dy : 0 */
KERNEL(reluBackward, PTR y, PTR dy, PTR dx, I32 n) {
  MAP_TWO(dx, y, dy, v_select(v_gt(p, v_zero()), q, v_zero()));
}

/** y = 1 / (1 + e^-x) */
KERNEL(sigmoidForward, PTR x, PTR y, I32 n) { MAP_LONG(y, x, v_sigmoid(p)); }

/** dx = dy * (y - y*y), the bracket fused */
KERNEL(sigmoidBackward, PTR y, PTR dy, PTR dx, I32 n) {
  MAP_TWO(dx, y, dy, v_mul(q, v_fma(v_neg(p), p, p)));
}

/** y = tanh(x) */
KERNEL(tanhForward, PTR x, PTR y, I32 n) { MAP_LONG(y, x, v_tanh(p)); }

/** dx = dy * (1 - y*y), the bracket fused */
KERNEL(tanhBackward, PTR y, PTR dy, PTR dx, I32 n) {
  MAP_TWO(dx, y, dy, v_mul(q, v_fma(v_neg(p), p, v_set(1))));
}

/** out = e^a */
KERNEL(exponential, PTR out, PTR a, I32 n) { MAP_LONG(out, a, v_exp(p)); }

/** out = ln a */
KERNEL(logarithm, PTR out, PTR a, I32 n) { MAP_LONG(out, a, v_log(p)); }

/** out = erf a */
KERNEL(errorFunction, PTR out, PTR a, I32 n) { MAP_LONG(out, a, v_erf(p)); }

/** out = sin a */
KERNEL(sine, PTR out, PTR a, I32 n) { MAP_LONG(out, a, v_sin(p)); }

/** out = cos a */
KERNEL(cosine, PTR out, PTR a, I32 n) { MAP_LONG(out, a, v_cos(p)); }

/** out = sqrt(a), correctly rounded */
KERNEL(squareRoot, PTR out, PTR a, I32 n) { MAP(out, a, v_sqrt(p)); }

/** out = 1 / sqrt(a) */
KERNEL(reciprocalSquareRoot, PTR out, PTR a, I32 n) { MAP(out, a, v_rsqrt(p)); }
