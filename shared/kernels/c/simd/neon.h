/** arm64: four vectors of 128 bits. */
#pragma once
#include <arm_neon.h>

typedef struct {
  float32x4_t q[4];
} v16;
typedef struct {
  int32x4_t q[4];
} w16;
typedef struct {
  uint32x4_t q[4];
} m16;

#define QUARTERS(T, expression)                       \
  T r;                                                \
  for (i32 i = 0; i < 4; i++) r.q[i] = (expression);  \
  return r

INLINE v16 v_load(const void *p) { QUARTERS(v16, vld1q_f32((const f32 *)p + 4 * i)); }
INLINE void v_store(void *p, v16 a) {
  for (i32 i = 0; i < 4; i++) vst1q_f32((f32 *)p + 4 * i, a.q[i]);
}
INLINE v16 v_load_n(const void *p, i32 n) {
  f32 lane[16] = {0};
  __builtin_memcpy(lane, p, 4 * (u32)n);
  return v_load(lane);
}
INLINE void v_store_n(void *p, v16 a, i32 n) {
  f32 lane[16];
  v_store(lane, a);
  __builtin_memcpy(p, lane, 4 * (u32)n);
}
INLINE v16 v_set(f32 x) { QUARTERS(v16, vdupq_n_f32(x)); }
INLINE v16 v_zero(void) { QUARTERS(v16, vdupq_n_f32(0)); }

INLINE v16 v_fma(v16 a, v16 b, v16 c) { QUARTERS(v16, vfmaq_f32(c.q[i], a.q[i], b.q[i])); }
INLINE v16 v_add(v16 a, v16 b) { QUARTERS(v16, vaddq_f32(a.q[i], b.q[i])); }
INLINE v16 v_sub(v16 a, v16 b) { QUARTERS(v16, vsubq_f32(a.q[i], b.q[i])); }
INLINE v16 v_mul(v16 a, v16 b) { QUARTERS(v16, vmulq_f32(a.q[i], b.q[i])); }
INLINE v16 v_div(v16 a, v16 b) { QUARTERS(v16, vdivq_f32(a.q[i], b.q[i])); }
INLINE v16 v_sqrt(v16 a) { QUARTERS(v16, vsqrtq_f32(a.q[i])); }
INLINE v16 v_neg(v16 a) { QUARTERS(v16, vnegq_f32(a.q[i])); }
INLINE v16 v_abs(v16 a) { QUARTERS(v16, vabsq_f32(a.q[i])); }
// Not vminq: it returns NaN for NaN and orders the zeros.
INLINE v16 v_min(v16 a, v16 b) { QUARTERS(v16, vbslq_f32(vcltq_f32(a.q[i], b.q[i]), a.q[i], b.q[i])); }
INLINE v16 v_max(v16 a, v16 b) { QUARTERS(v16, vbslq_f32(vcgtq_f32(a.q[i], b.q[i]), a.q[i], b.q[i])); }

INLINE m16 v_lt(v16 a, v16 b) { QUARTERS(m16, vcltq_f32(a.q[i], b.q[i])); }
INLINE m16 v_le(v16 a, v16 b) { QUARTERS(m16, vcleq_f32(a.q[i], b.q[i])); }
INLINE m16 v_gt(v16 a, v16 b) { QUARTERS(m16, vcgtq_f32(a.q[i], b.q[i])); }
INLINE m16 v_ge(v16 a, v16 b) { QUARTERS(m16, vcgeq_f32(a.q[i], b.q[i])); }
INLINE m16 v_eq(v16 a, v16 b) { QUARTERS(m16, vceqq_f32(a.q[i], b.q[i])); }
INLINE v16 v_select(m16 m, v16 a, v16 b) { QUARTERS(v16, vbslq_f32(m.q[i], a.q[i], b.q[i])); }
INLINE m16 m_and(m16 a, m16 b) { QUARTERS(m16, vandq_u32(a.q[i], b.q[i])); }
INLINE m16 m_or(m16 a, m16 b) { QUARTERS(m16, vorrq_u32(a.q[i], b.q[i])); }
INLINE m16 m_not(m16 a) { QUARTERS(m16, vmvnq_u32(a.q[i])); }
INLINE m16 m_first(i32 n) {
  const i32 index[4] = {0, 1, 2, 3};
  QUARTERS(m16, vcgtq_s32(vdupq_n_s32(n - 4 * i), vld1q_s32(index)));
}

INLINE u32 m_bits(m16 a) {
  static const u32 lane_bit[4] = {1, 2, 4, 8};
  u32 bits = 0;
  for (i32 i = 0; i < 4; i++) bits |= vaddvq_u32(vandq_u32(a.q[i], vld1q_u32(lane_bit))) << 4 * i;
  return bits;
}

INLINE w16 v_bits(v16 a) { QUARTERS(w16, vreinterpretq_s32_f32(a.q[i])); }
INLINE v16 w_bits(w16 a) { QUARTERS(v16, vreinterpretq_f32_s32(a.q[i])); }
INLINE v16 v_from_w(w16 a) { QUARTERS(v16, vcvtq_f32_s32(a.q[i])); }
INLINE w16 w_from_v(v16 a) { QUARTERS(w16, vcvtq_s32_f32(a.q[i])); }
INLINE v16 v_from_u8(const u8 *p) {
  v16 r;
  for (i32 i = 0; i < 2; i++) {
    uint16x8_t wide = vmovl_u8(vld1_u8(p + 8 * i));
    r.q[2 * i] = vcvtq_f32_u32(vmovl_u16(vget_low_u16(wide)));
    r.q[2 * i + 1] = vcvtq_f32_u32(vmovl_u16(vget_high_u16(wide)));
  }
  return r;
}

INLINE f32 v_sum(v16 a) {
  float32x4_t s = vaddq_f32(vaddq_f32(a.q[0], a.q[2]), vaddq_f32(a.q[1], a.q[3]));
  float32x2_t pair = vadd_f32(vget_low_f32(s), vget_high_f32(s));
  return vget_lane_f32(pair, 0) + vget_lane_f32(pair, 1);
}
INLINE float32x4_t q_greater(float32x4_t a, float32x4_t b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
INLINE f32 v_reduce_max(v16 a) {
  float32x4_t s = q_greater(q_greater(a.q[0], a.q[2]), q_greater(a.q[1], a.q[3]));
  s = q_greater(s, vextq_f32(s, s, 2));
  return vgetq_lane_f32(q_greater(s, vextq_f32(s, s, 1)), 0);
}

INLINE w16 w_load(const void *p) { return v_bits(v_load(p)); }
INLINE void w_store(void *p, w16 a) { v_store(p, w_bits(a)); }
INLINE w16 w_load_n(const void *p, i32 n) { return v_bits(v_load_n(p, n)); }
INLINE void w_store_n(void *p, w16 a, i32 n) { v_store_n(p, w_bits(a), n); }
INLINE w16 w_set(i32 x) { QUARTERS(w16, vdupq_n_s32(x)); }
INLINE w16 w_add(w16 a, w16 b) { QUARTERS(w16, vaddq_s32(a.q[i], b.q[i])); }
INLINE w16 w_sub(w16 a, w16 b) { QUARTERS(w16, vsubq_s32(a.q[i], b.q[i])); }
INLINE w16 w_mul(w16 a, w16 b) { QUARTERS(w16, vmulq_s32(a.q[i], b.q[i])); }
INLINE int32x4_t q_mulhi(uint32x4_t a, uint32x4_t b) {
  uint32x4_t low = vreinterpretq_u32_u64(vmull_u32(vget_low_u32(a), vget_low_u32(b)));
  uint32x4_t high = vreinterpretq_u32_u64(vmull_high_u32(a, b));
  return vreinterpretq_s32_u32(vuzp2q_u32(low, high));
}
INLINE w16 w_mulhi(w16 a, w16 b) {
  QUARTERS(w16, q_mulhi(vreinterpretq_u32_s32(a.q[i]), vreinterpretq_u32_s32(b.q[i])));
}
INLINE w16 w_and(w16 a, w16 b) { QUARTERS(w16, vandq_s32(a.q[i], b.q[i])); }
INLINE w16 w_or(w16 a, w16 b) { QUARTERS(w16, vorrq_s32(a.q[i], b.q[i])); }
INLINE w16 w_xor(w16 a, w16 b) { QUARTERS(w16, veorq_s32(a.q[i], b.q[i])); }
INLINE w16 w_shl(w16 a, i32 k) { QUARTERS(w16, vshlq_s32(a.q[i], vdupq_n_s32(k))); }
INLINE w16 w_shr(w16 a, i32 k) {
  QUARTERS(w16, vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(a.q[i]), vdupq_n_s32(-k))));
}
INLINE w16 w_sar(w16 a, i32 k) { QUARTERS(w16, vshlq_s32(a.q[i], vdupq_n_s32(-k))); }
INLINE m16 w_eq(w16 a, w16 b) { QUARTERS(m16, vceqq_s32(a.q[i], b.q[i])); }
INLINE m16 w_gt(w16 a, w16 b) { QUARTERS(m16, vcgtq_s32(a.q[i], b.q[i])); }
INLINE w16 w_select(m16 m, w16 a, w16 b) { QUARTERS(w16, vbslq_s32(m.q[i], a.q[i], b.q[i])); }

#define LANES 4
typedef float32x4_t vec;
INLINE vec x_zero(void) { return vdupq_n_f32(0); }
INLINE vec x_set(f32 x) { return vdupq_n_f32(x); }
INLINE vec x_load(const void *p) { return vld1q_f32(p); }
INLINE void x_store(void *p, vec a) { vst1q_f32(p, a); }
INLINE vec x_load_n(const void *p, i32 n) {
  f32 lane[4] = {0};
  __builtin_memcpy(lane, p, 4 * (u32)n);
  return vld1q_f32(lane);
}
INLINE void x_store_n(void *p, vec a, i32 n) {
  f32 lane[4];
  vst1q_f32(lane, a);
  __builtin_memcpy(p, lane, 4 * (u32)n);
}
INLINE vec x_fma(vec a, vec b, vec c) { return vfmaq_f32(c, a, b); }
INLINE vec x_add(vec a, vec b) { return vaddq_f32(a, b); }
INLINE vec x_max(vec a, vec b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
INLINE void x_transpose(vec t[LANES]) {
  float32x4x2_t ab = vtrnq_f32(t[0], t[1]), cd = vtrnq_f32(t[2], t[3]);
  t[0] = vcombine_f32(vget_low_f32(ab.val[0]), vget_low_f32(cd.val[0]));
  t[1] = vcombine_f32(vget_low_f32(ab.val[1]), vget_low_f32(cd.val[1]));
  t[2] = vcombine_f32(vget_high_f32(ab.val[0]), vget_high_f32(cd.val[0]));
  t[3] = vcombine_f32(vget_high_f32(ab.val[1]), vget_high_f32(cd.val[1]));
}


INLINE f32 f32_fma(f32 a, f32 b, f32 c) { return __builtin_fmaf(a, b, c); }
INLINE f32 f32_sqrt(f32 a) { return __builtin_sqrtf(a); }

#undef QUARTERS
