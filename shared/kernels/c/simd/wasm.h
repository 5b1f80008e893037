/**
 * WebAssembly SIMD: four vectors of 128 bits. With relaxed SIMD, `relaxed_madd` is the fused multiply-add; the loader
 * checks that the engine does fuse. Without relaxed SIMD every product goes through f64 and rounding to odd.
 */
#pragma once
#include <wasm_simd128.h>

typedef struct {
  v128_t q[4];
} v16;
typedef struct {
  v128_t q[4];
} w16;
typedef struct {
  v128_t q[4];
} m16;

#define QUARTERS(T, expression)                       \
  T r;                                                \
  _Pragma("unroll") for (i32 i = 0; i < 4; i++) r.q[i] = (expression); \
  return r

INLINE v16 v_load(const void *p) { QUARTERS(v16, wasm_v128_load((const u8 *)p + 16 * i)); }
INLINE void v_store(void *p, v16 a) {
  _Pragma("unroll") for (i32 i = 0; i < 4; i++) wasm_v128_store((u8 *)p + 16 * i, a.q[i]);
}
INLINE v128_t q_load_n(const u32 *p, i32 n) {
  if (n >= 4) return wasm_v128_load(p);
  if (n == 3) return wasm_v128_load32_lane(p + 2, wasm_v128_load64_zero(p), 2);
  if (n == 2) return wasm_v128_load64_zero(p);
  if (n == 1) return wasm_v128_load32_zero(p);
  return wasm_i32x4_const_splat(0);
}
INLINE void q_store_n(u32 *p, v128_t a, i32 n) {
  if (n >= 4) {
    wasm_v128_store(p, a);
  } else {
    if (n >= 2) wasm_v128_store64_lane(p, a, 0);
    if (n == 1) wasm_v128_store32_lane(p, a, 0);
    if (n == 3) wasm_v128_store32_lane(p + 2, a, 2);
  }
}
INLINE v16 v_load_n(const void *p, i32 n) { QUARTERS(v16, q_load_n((const u32 *)p + 4 * i, n - 4 * i)); }
INLINE void v_store_n(void *p, v16 a, i32 n) {
  _Pragma("unroll") for (i32 i = 0; i < 4; i++) q_store_n((u32 *)p + 4 * i, a.q[i], n - 4 * i);
}
INLINE v16 v_set(f32 x) { QUARTERS(v16, wasm_f32x4_splat(x)); }
INLINE v16 v_zero(void) { QUARTERS(v16, wasm_f32x4_const_splat(0)); }

#if defined(__wasm_relaxed_simd__)
INLINE v128_t q_fma(v128_t a, v128_t b, v128_t c) { return wasm_f32x4_relaxed_madd(a, b, c); }
#else
/**
 * p + c in two lanes, rounded to odd; s is the same sum rounded to nearest. After rounding to odd, a second rounding, to
 * f32, gives the same result as a single one (Boldo and Melquiond 2008, "Emulation of a FMA and correctly rounded sums:
 * proved algorithms using rounding to odd"; f64 has more than the p + 2 bits that the proof requires).
 */
INLINE v128_t q_round_to_odd(v128_t p, v128_t c, v128_t s) {
  // The rounding error of s, exactly (Knuth's TwoSum): f64 neither overflows nor underflows on products of floats.
  v128_t t = wasm_f64x2_sub(s, p);
  v128_t e = wasm_f64x2_add(wasm_f64x2_sub(p, wasm_f64x2_sub(s, t)), wasm_f64x2_sub(c, t));
  // First rounded towards zero: one ulp back where the error points towards zero; then made odd where there is an error.
  // The comparisons are false for infinities and NaN, which are therefore not changed.
  v128_t sign = wasm_f64x2_mul(e, s);
  v128_t back = wasm_f64x2_lt(sign, wasm_f64x2_const_splat(0));
  v128_t sticky = wasm_v128_or(back, wasm_f64x2_gt(sign, wasm_f64x2_const_splat(0)));
  return wasm_v128_or(wasm_i64x2_add(s, back), wasm_v128_and(sticky, wasm_i64x2_const_splat(1)));
}
INLINE v128_t q_high(v128_t a) { return wasm_i32x4_shuffle(a, a, 2, 3, 2, 3); }
INLINE v128_t q_demote(v128_t low, v128_t high) {
  return wasm_i32x4_shuffle(wasm_f32x4_demote_f64x2_zero(low), wasm_f32x4_demote_f64x2_zero(high), 0, 1, 4, 5);
}
/** Whether a sum in f64 lies half way between two floats of 24 bits. */
INLINE v128_t q_is_half_way(v128_t s) {
  return wasm_i64x2_eq(wasm_v128_and(s, wasm_i64x2_const_splat(0x1fffffff)), wasm_i64x2_const_splat(0x10000000));
}
/**
 * a*b + c rounded once: the product of two floats is exact in f64, and rounding the sum twice, to f64 and to f32, is wrong
 * only where the f64 result lies half way between two floats. That is rare, and so are results below the smallest normal
 * float, which have fewer bits: only in these cases the sum is rounded to odd.
 */
INLINE v128_t q_fma(v128_t a, v128_t b, v128_t c) {
  const v128_t c_low = wasm_f64x2_promote_low_f32x4(c), c_high = wasm_f64x2_promote_low_f32x4(q_high(c));
  const v128_t p_low = wasm_f64x2_mul(wasm_f64x2_promote_low_f32x4(a), wasm_f64x2_promote_low_f32x4(b));
  const v128_t p_high = wasm_f64x2_mul(wasm_f64x2_promote_low_f32x4(q_high(a)), wasm_f64x2_promote_low_f32x4(q_high(b)));
  const v128_t low = wasm_f64x2_add(p_low, c_low), high = wasm_f64x2_add(p_high, c_high);
  const v128_t once = q_demote(low, high);
  const v128_t is_small = wasm_f32x4_lt(wasm_f32x4_abs(once), wasm_f32x4_const_splat(0x1p-126f));
  const v128_t doubt = wasm_v128_or(is_small, wasm_v128_or(q_is_half_way(low), q_is_half_way(high)));
  if (__builtin_expect(!wasm_v128_any_true(doubt), 1)) return once;
  return q_demote(q_round_to_odd(p_low, c_low, low), q_round_to_odd(p_high, c_high, high));
}
#endif

INLINE v16 v_fma(v16 a, v16 b, v16 c) { QUARTERS(v16, q_fma(a.q[i], b.q[i], c.q[i])); }
INLINE v16 v_add(v16 a, v16 b) { QUARTERS(v16, wasm_f32x4_add(a.q[i], b.q[i])); }
INLINE v16 v_sub(v16 a, v16 b) { QUARTERS(v16, wasm_f32x4_sub(a.q[i], b.q[i])); }
INLINE v16 v_mul(v16 a, v16 b) { QUARTERS(v16, wasm_f32x4_mul(a.q[i], b.q[i])); }
INLINE v16 v_div(v16 a, v16 b) { QUARTERS(v16, wasm_f32x4_div(a.q[i], b.q[i])); }
INLINE v16 v_sqrt(v16 a) { QUARTERS(v16, wasm_f32x4_sqrt(a.q[i])); }
INLINE v16 v_neg(v16 a) { QUARTERS(v16, wasm_f32x4_neg(a.q[i])); }
INLINE v16 v_abs(v16 a) { QUARTERS(v16, wasm_f32x4_abs(a.q[i])); }
// pmin(x, y) is y < x ? y : x, hence the swap.
INLINE v16 v_min(v16 a, v16 b) { QUARTERS(v16, wasm_f32x4_pmin(b.q[i], a.q[i])); }
INLINE v16 v_max(v16 a, v16 b) { QUARTERS(v16, wasm_f32x4_pmax(b.q[i], a.q[i])); }

INLINE m16 v_lt(v16 a, v16 b) { QUARTERS(m16, wasm_f32x4_lt(a.q[i], b.q[i])); }
INLINE m16 v_le(v16 a, v16 b) { QUARTERS(m16, wasm_f32x4_le(a.q[i], b.q[i])); }
INLINE m16 v_gt(v16 a, v16 b) { QUARTERS(m16, wasm_f32x4_gt(a.q[i], b.q[i])); }
INLINE m16 v_ge(v16 a, v16 b) { QUARTERS(m16, wasm_f32x4_ge(a.q[i], b.q[i])); }
INLINE m16 v_eq(v16 a, v16 b) { QUARTERS(m16, wasm_f32x4_eq(a.q[i], b.q[i])); }
INLINE v16 v_select(m16 m, v16 a, v16 b) { QUARTERS(v16, wasm_v128_bitselect(a.q[i], b.q[i], m.q[i])); }
INLINE m16 m_and(m16 a, m16 b) { QUARTERS(m16, wasm_v128_and(a.q[i], b.q[i])); }
INLINE m16 m_or(m16 a, m16 b) { QUARTERS(m16, wasm_v128_or(a.q[i], b.q[i])); }
INLINE m16 m_not(m16 a) { QUARTERS(m16, wasm_v128_not(a.q[i])); }
INLINE m16 m_first(i32 n) {
  QUARTERS(m16, wasm_i32x4_gt(wasm_i32x4_splat(n - 4 * i), wasm_i32x4_const(0, 1, 2, 3)));
}

INLINE u32 m_bits(m16 a) {
  u32 bits = 0;
  _Pragma("unroll") for (i32 i = 0; i < 4; i++) bits |= wasm_i32x4_bitmask(a.q[i]) << 4 * i;
  return bits;
}

INLINE w16 v_bits(v16 a) { QUARTERS(w16, a.q[i]); }
INLINE v16 w_bits(w16 a) { QUARTERS(v16, a.q[i]); }
INLINE v16 v_from_w(w16 a) { QUARTERS(v16, wasm_f32x4_convert_i32x4(a.q[i])); }
INLINE w16 w_from_v(v16 a) { QUARTERS(w16, wasm_i32x4_trunc_sat_f32x4(a.q[i])); }
INLINE v16 v_from_u8(const u8 *p) {
  QUARTERS(v16, wasm_f32x4_convert_i32x4(
                    wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(p + 4 * i)))));
}

INLINE f32 v_sum(v16 a) {
  v128_t s = wasm_f32x4_add(wasm_f32x4_add(a.q[0], a.q[2]), wasm_f32x4_add(a.q[1], a.q[3]));
  s = wasm_f32x4_add(s, wasm_i32x4_shuffle(s, s, 2, 3, 2, 3));
  return wasm_f32x4_extract_lane(s, 0) + wasm_f32x4_extract_lane(s, 1);
}
INLINE f32 v_reduce_max(v16 a) {
  v128_t low = wasm_f32x4_pmax(a.q[2], a.q[0]), high = wasm_f32x4_pmax(a.q[3], a.q[1]);
  v128_t s = wasm_f32x4_pmax(high, low);
  s = wasm_f32x4_pmax(wasm_i32x4_shuffle(s, s, 2, 3, 2, 3), s);
  s = wasm_f32x4_pmax(wasm_i32x4_shuffle(s, s, 1, 1, 1, 1), s);
  return wasm_f32x4_extract_lane(s, 0);
}

INLINE w16 w_load(const void *p) { return v_bits(v_load(p)); }
INLINE void w_store(void *p, w16 a) { v_store(p, w_bits(a)); }
INLINE w16 w_load_n(const void *p, i32 n) { return v_bits(v_load_n(p, n)); }
INLINE void w_store_n(void *p, w16 a, i32 n) { v_store_n(p, w_bits(a), n); }
INLINE w16 w_set(i32 x) { QUARTERS(w16, wasm_i32x4_splat(x)); }
INLINE w16 w_add(w16 a, w16 b) { QUARTERS(w16, wasm_i32x4_add(a.q[i], b.q[i])); }
INLINE w16 w_sub(w16 a, w16 b) { QUARTERS(w16, wasm_i32x4_sub(a.q[i], b.q[i])); }
INLINE w16 w_mul(w16 a, w16 b) { QUARTERS(w16, wasm_i32x4_mul(a.q[i], b.q[i])); }
INLINE w16 w_mulhi(w16 a, w16 b) {
  QUARTERS(w16, wasm_i32x4_shuffle(wasm_u64x2_extmul_low_u32x4(a.q[i], b.q[i]),
                                   wasm_u64x2_extmul_high_u32x4(a.q[i], b.q[i]), 1, 3, 5, 7));
}
INLINE w16 w_and(w16 a, w16 b) { QUARTERS(w16, wasm_v128_and(a.q[i], b.q[i])); }
INLINE w16 w_or(w16 a, w16 b) { QUARTERS(w16, wasm_v128_or(a.q[i], b.q[i])); }
INLINE w16 w_xor(w16 a, w16 b) { QUARTERS(w16, wasm_v128_xor(a.q[i], b.q[i])); }
INLINE w16 w_shl(w16 a, i32 k) { QUARTERS(w16, wasm_i32x4_shl(a.q[i], k)); }
INLINE w16 w_shr(w16 a, i32 k) { QUARTERS(w16, wasm_u32x4_shr(a.q[i], k)); }
INLINE w16 w_sar(w16 a, i32 k) { QUARTERS(w16, wasm_i32x4_shr(a.q[i], k)); }
INLINE m16 w_eq(w16 a, w16 b) { QUARTERS(m16, wasm_i32x4_eq(a.q[i], b.q[i])); }
INLINE m16 w_gt(w16 a, w16 b) { QUARTERS(m16, wasm_i32x4_gt(a.q[i], b.q[i])); }
INLINE w16 w_select(m16 m, w16 a, w16 b) { QUARTERS(w16, wasm_v128_bitselect(a.q[i], b.q[i], m.q[i])); }

#define LANES 4
typedef v128_t vec;
INLINE vec x_zero(void) { return wasm_f32x4_const_splat(0); }
INLINE vec x_set(f32 x) { return wasm_f32x4_splat(x); }
INLINE vec x_load(const void *p) { return wasm_v128_load(p); }
INLINE void x_store(void *p, vec a) { wasm_v128_store(p, a); }
INLINE vec x_load_n(const void *p, i32 n) { return q_load_n(p, n); }
INLINE void x_store_n(void *p, vec a, i32 n) { q_store_n(p, a, n); }
INLINE vec x_fma(vec a, vec b, vec c) { return q_fma(a, b, c); }
INLINE vec x_add(vec a, vec b) { return wasm_f32x4_add(a, b); }
INLINE vec x_max(vec a, vec b) { return wasm_f32x4_pmax(b, a); }
INLINE void x_transpose(vec t[LANES]) {
  vec ab = wasm_i32x4_shuffle(t[0], t[1], 0, 4, 1, 5), AB = wasm_i32x4_shuffle(t[0], t[1], 2, 6, 3, 7);
  vec cd = wasm_i32x4_shuffle(t[2], t[3], 0, 4, 1, 5), CD = wasm_i32x4_shuffle(t[2], t[3], 2, 6, 3, 7);
  t[0] = wasm_i64x2_shuffle(ab, cd, 0, 2);
  t[1] = wasm_i64x2_shuffle(ab, cd, 1, 3);
  t[2] = wasm_i64x2_shuffle(AB, CD, 0, 2);
  t[3] = wasm_i64x2_shuffle(AB, CD, 1, 3);
}


INLINE f32 f32_fma(f32 a, f32 b, f32 c) {
  return wasm_f32x4_extract_lane(q_fma(wasm_f32x4_splat(a), wasm_f32x4_splat(b), wasm_f32x4_splat(c)), 0);
}
INLINE f32 f32_sqrt(f32 a) { return __builtin_sqrtf(a); }

#undef QUARTERS
