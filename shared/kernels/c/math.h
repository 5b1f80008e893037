/**
 * exp, log, tanh, sigmoid, erf, sin, cos, 1/sqrt on sixteen lanes, each within 2 ulp of the exact value for every
 * float (docs/numerics.md lists the measured errors). Only correctly rounded operations are used, so that every build has
 * the same bits. Coefficients: minimax polynomials by Remez exchange (scripts/dev/derive-polynomials.py).
 *
 * Range reductions: Cody, Waite, "Software manual for the elementary functions" (1980), with fused multiply-add;
 * for huge angles Payne, Hanek, "Radian reduction for trigonometric functions" (1983).
 */
#pragma once
#include "lanes.h"

/** Adding it rounds |x| < 2^22 to an integer (ties to even), which the low bits of the sum then hold. */
#define ROUNDER 0x1.8p23f
#define ROUNDER_BITS 0x4b400000

/** Not inlined where a fused multiply-add takes dozens of instructions: one copy of each function is enough. */
#if defined(SIMD_PLAIN) || (defined(__wasm_simd128__) && !defined(__wasm_relaxed_simd__))
#define MATH static __attribute__((noinline, unused))
#else
#define MATH INLINE
#endif

INLINE v16 v_horner(v16 x, i32 n, const f32 *c) {
  v16 sum = v_set(c[n - 1]);
  for (i32 k = n - 2; k >= 0; k--) sum = v_fma(sum, x, v_set(c[k]));
  return sum;
}
/** c0 + c1*x + c2*x^2 + ... by Horner's rule, one fused multiply-add each. */
#define POLYNOMIAL(x, ...) \
  v_horner(x, (i32)(sizeof((const f32[]){__VA_ARGS__}) / sizeof(f32)), (const f32[]){__VA_ARGS__})

INLINE v16 v_with_sign_of(v16 magnitude, v16 sign) {
  return w_bits(w_or(v_bits(magnitude), w_and(v_bits(sign), w_set((i32)0x80000000))));
}
/** 2^k for integers -126 <= k <= 127. */
INLINE v16 v_power_of_two(w16 k) { return w_bits(w_shl(w_add(k, w_set(127)), 23)); }

/**
 * e^x = 2^k * e^r with k = round(x / ln 2), |r| <= ln(2)/2, e^r = 1 + (r + r^2 * q(r)).
 * Multiplied by two powers of two one after the other, so that results below 2^-126 are rounded once and large ones overflow.
 */
MATH v16 v_exp(v16 x) {
  // Beyond these bounds the result is 0 or infinity. NaN stays NaN: all comparisons with it are false.
  x = v_max(v_set(-104), v_min(v_set(89), x));
  v16 shifted = v_fma(x, v_set(0x1.715476p+0f), v_set(ROUNDER));
  v16 k = v_sub(shifted, v_set(ROUNDER));
  w16 power = w_sub(v_bits(shifted), w_set(ROUNDER_BITS));
  v16 r = v_fma(k, v_set(-0x1.62e43p-1f), x);
  r = v_fma(k, v_set(0x1.05c61p-29f), r);
  v16 q = POLYNOMIAL(r, 0x1.fffffcp-2f, 0x1.55548cp-3f, 0x1.55585ap-5f, 0x1.123d7p-7f, 0x1.6ab89cp-10f);
  v16 y = v_add(v_set(1), v_fma(v_mul(r, r), q, r));
  w16 half = w_sar(power, 1);
  return v_mul(v_mul(y, v_power_of_two(half)), v_power_of_two(w_sub(power, half)));
}

/**
 * ln x = k * ln 2 + ln m with sqrt(1/2) <= m < sqrt(2); ln(1 + f) = f + f^2 * q(f).
 * ln 0 = -infinity, ln of a negative number is NaN.
 */
MATH v16 v_log(v16 x) {
  const i32 sqrt_half_bits = 0x3f3504f3;
  m16 is_small = v_lt(x, v_set(0x1p-126f));
  v16 normal = v_select(is_small, v_mul(x, v_set(0x1p23f)), x);
  w16 k = w_sar(w_sub(v_bits(normal), w_set(sqrt_half_bits)), 23);
  v16 f = v_sub(w_bits(w_sub(v_bits(normal), w_shl(k, 23))), v_set(1));
  v16 exponent = v_from_w(w_sub(k, w_select(is_small, w_set(23), w_set(0))));
  v16 q = POLYNOMIAL(f, -0.5f, 0x1.555546p-2f, -0x1.fffffp-3f, 0x1.99a4fep-3f, -0x1.55622ep-3f, 0x1.233698p-3f,
                     -0x1.fb6024p-4f, 0x1.e64136p-4f, -0x1.e23a32p-4f, 0x1.1a7c66p-4f);
  v16 y = v_fma(v_mul(f, f), q, f);
  y = v_fma(exponent, v_set(0x1.62e43p-1f), v_fma(exponent, v_set(-0x1.05c61p-29f), y));
  const v16 infinity = v_set(INFINITY_F32);
  v16 at_most_zero = v_select(v_eq(x, v_zero()), v_neg(infinity), v_set(__builtin_nanf("")));
  return v_select(v_gt(x, v_zero()), v_select(v_lt(x, infinity), y, x), at_most_zero);
}

/** For |x| < 0.625: x + x^3 * q(x^2); else 1 - 2 / (e^(2|x|) + 1) with the sign of x. */
MATH v16 v_tanh(v16 x) {
  v16 a = v_abs(x), square = v_mul(a, a);
  v16 q = POLYNOMIAL(square, -0x1.555532p-2f, 0x1.1106f6p-3f, -0x1.b835a4p-5f, 0x1.51f8cep-6f, -0x1.750ce4p-8f);
  v16 near = v_fma(a, v_mul(square, q), a);
  v16 far = v_sub(v_set(1), v_div(v_set(2), v_add(v_exp(v_add(a, a)), v_set(1))));
  return v_with_sign_of(v_select(v_lt(a, v_set(0.625f)), near, far), x);
}

/**
 * 1 / (1 + e^-x), for x < 0 as e^x / (1 + e^x), which is precise down to the smallest results. The rounding error of the
 * divisor s (by Dekker's Fast2Sum) is corrected to first order: 1/s is the result itself, or 1 minus it.
 */
MATH v16 v_sigmoid(v16 x) {
  const v16 one = v_set(1);
  m16 is_negative = v_lt(x, v_zero());
  v16 e = v_exp(v_neg(v_abs(x)));
  v16 s = v_add(one, e), lost = v_sub(e, v_sub(s, one));
  v16 y = v_div(v_select(is_negative, e, one), s);
  v16 inverse = v_select(is_negative, v_sub(one, y), y);
  return v_fma(v_neg(v_mul(y, lost)), inverse, y);
}

/** For |x| < 0.875: x + x * p(x^2); else 1 - e^-g(|x|) with g = -ln(1 - erf), and the sign of x. */
MATH v16 v_erf(v16 x) {
  v16 a = v_abs(x);
  v16 p = POLYNOMIAL(v_mul(a, a), 0x1.06eba8p-3f, -0x1.81274p-2f, 0x1.ce2d76p-4f, -0x1.b8044p-6f, 0x1.547728p-8f,
                     -0x1.a808c8p-11f, 0x1.5731c4p-14f);
  v16 near = v_fma(a, p, a);
  // From 4 on the result rounds to 1.
  v16 g = POLYNOMIAL(v_min(v_set(4), a), -0x1.53cb2p-13f, 0x1.2123d8p+0f, 0x1.4456ap-1f, 0x1.baf01ep-4f,
                     -0x1.9a0bd6p-6f, 0x1.0f093ap-8f, -0x1.bfd676p-12f, 0x1.5722f8p-16f);
  v16 far = v_sub(v_set(1), v_exp(v_neg(g)));
  return v_with_sign_of(v_select(v_lt(a, v_set(0.875f)), near, far), x);
}

/** An angle as quadrant * pi/2 + rest, |rest| <= pi/4 up to rounding; the quadrant is modulo 4. */
typedef struct {
  w16 quadrant;
  v16 rest;
} Angle;

/** Largest angle that is reduced with pi/2 in three floats; beyond, the rounding of the quotient would be too large. */
#define ANGLE_NEAR 65536.0f

/** 2/pi in binary: 32 bits of integer part, then the fraction. */
static const u32 two_over_pi[] = {0,          0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0,
                                  0xdb629599, 0x3c439041, 0xfe5163ab, 0xdebbc561};

/**
 * Reduction of one angle x >= ANGLE_NEAR in integers: x = m * 2^e. Only the bits of m * 2/pi from 2^(1-e) downwards decide
 * the quadrant and the fraction, and 96 of them give a relative error below 2^-30 for every float.
 */
static __attribute__((noinline)) f32 reduce_far(f32 x, i32 *quadrant) {
  const u32 bits = f32_bits(x);
  const i32 exponent = (i32)(bits >> 23);
  if (exponent == 255) return x - x;
  const u64 m = (bits & 0x7fffff) | 0x800000;
  // The highest bit that matters has weight 2^(1-e), e = exponent - 150; bit 0 of the table has weight 2^31.
  const i32 from = exponent - 150 + 30;
  u32 window[3];
  for (i32 i = 0; i < 3; i++) {
    const u32 *word = two_over_pi + (from >> 5) + i;
    window[i] = (u32)((((u64)word[0] << 32) | word[1]) >> (32 - (from & 31)));
  }
  // In units of 2^-62 quadrants, modulo 4 quadrants.
  const u64 turn = ((m * window[0]) << 32) + m * window[1] + ((m * window[2]) >> 32);
  const i64 fraction = (i64)(turn << 2);
  *quadrant = (i32)(turn >> 62) + (fraction < 0);
  return (f32)((f64)fraction * 0x1.921fb54442d18p-64);
}

/** Reduction of angles >= 0, of infinity (to NaN) and of NaN. */
MATH Angle v_reduce_angle(v16 x) {
  v16 shifted = v_fma(x, v_set(0x1.45f306p-1f), v_set(ROUNDER));
  v16 k = v_sub(shifted, v_set(ROUNDER));
  Angle angle = {w_sub(v_bits(shifted), w_set(ROUNDER_BITS)), v_fma(k, v_set(-0x1.921fb6p+0f), x)};
  angle.rest = v_fma(k, v_set(0x1.777a5cp-25f), angle.rest);
  angle.rest = v_fma(k, v_set(0x1.ee59dap-50f), angle.rest);
  v16 is_far = v_select(v_gt(x, v_set(ANGLE_NEAR)), v_set(1), v_zero());
  if (v_reduce_max(is_far) == 0) return angle;
  f32 lane[16], rest[16];
  i32 quadrant[16];
  v_store(lane, x);
  v_store(rest, angle.rest);
  w_store(quadrant, angle.quadrant);
  for (i32 i = 0; i < 16; i++)
    if (lane[i] > ANGLE_NEAR) rest[i] = reduce_far(lane[i], &quadrant[i]);
  return (Angle){w_load(quadrant), v_load(rest)};
}

/** Sine of a reduced angle: +-(r + r^3 * p(r^2)) or +-(1 + r^2 * q(r^2)) by quadrant. */
MATH v16 v_sin_of(Angle angle) {
  v16 r = angle.rest, square = v_mul(r, r);
  v16 p = POLYNOMIAL(square, -0x1.555556p-3f, 0x1.111174p-7f, -0x1.a05954p-13f, 0x1.7c2c4ep-19f);
  v16 q = POLYNOMIAL(square, -0.5f, 0x1.55554ap-5f, -0x1.6c0c28p-10f, 0x1.99e80cp-16f);
  v16 sine = v_fma(r, v_mul(square, p), r), cosine = v_fma(square, q, v_set(1));
  m16 is_even = w_eq(w_and(angle.quadrant, w_set(1)), w_set(0));
  w16 sign = w_shl(w_and(angle.quadrant, w_set(2)), 30);
  return w_bits(w_xor(v_bits(v_select(is_even, sine, cosine)), sign));
}
/** Cosine of a reduced angle: the sine one quadrant later. */
INLINE v16 v_cos_of(Angle angle) {
  return v_sin_of((Angle){w_add(angle.quadrant, w_set(1)), angle.rest});
}

/** sin x: the sine of |x| with the sign of x. */
INLINE v16 v_sin(v16 x) {
  v16 sine = v_sin_of(v_reduce_angle(v_abs(x)));
  return w_bits(w_xor(v_bits(sine), w_and(v_bits(x), w_set((i32)0x80000000))));
}
INLINE v16 v_cos(v16 x) { return v_cos_of(v_reduce_angle(v_abs(x))); }

/** 1 / sqrt(x), rounded twice. */
INLINE v16 v_rsqrt(v16 x) { return v_div(v_set(1), v_sqrt(x)); }
