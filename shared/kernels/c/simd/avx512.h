/** x86-64 with AVX-512F, DQ, BW and VL: one vector of 512 bits, masks in mask registers. */
#pragma once
#include <immintrin.h>

typedef __m512 v16;
typedef __m512i w16;
typedef __mmask16 m16;

INLINE m16 m_first(i32 n) { return (m16)((1u << n) - 1u); }
INLINE v16 v_load(const void *p) { return _mm512_loadu_ps(p); }
INLINE void v_store(void *p, v16 a) { _mm512_storeu_ps(p, a); }
INLINE v16 v_load_n(const void *p, i32 n) { return _mm512_maskz_loadu_ps(m_first(n), p); }
INLINE void v_store_n(void *p, v16 a, i32 n) { _mm512_mask_storeu_ps(p, m_first(n), a); }
INLINE v16 v_set(f32 x) { return _mm512_set1_ps(x); }
INLINE v16 v_zero(void) { return _mm512_setzero_ps(); }

INLINE v16 v_fma(v16 a, v16 b, v16 c) { return _mm512_fmadd_ps(a, b, c); }
INLINE v16 v_add(v16 a, v16 b) { return _mm512_add_ps(a, b); }
INLINE v16 v_sub(v16 a, v16 b) { return _mm512_sub_ps(a, b); }
INLINE v16 v_mul(v16 a, v16 b) { return _mm512_mul_ps(a, b); }
INLINE v16 v_div(v16 a, v16 b) { return _mm512_div_ps(a, b); }
INLINE v16 v_sqrt(v16 a) { return _mm512_sqrt_ps(a); }
INLINE v16 v_neg(v16 a) { return _mm512_xor_ps(a, _mm512_set1_ps(-0.0f)); }
INLINE v16 v_abs(v16 a) { return _mm512_andnot_ps(_mm512_set1_ps(-0.0f), a); }
INLINE v16 v_min(v16 a, v16 b) { return _mm512_min_ps(a, b); }
INLINE v16 v_max(v16 a, v16 b) { return _mm512_max_ps(a, b); }

INLINE m16 v_lt(v16 a, v16 b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
INLINE m16 v_le(v16 a, v16 b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
INLINE m16 v_gt(v16 a, v16 b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
INLINE m16 v_ge(v16 a, v16 b) { return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ); }
INLINE m16 v_eq(v16 a, v16 b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
INLINE v16 v_select(m16 m, v16 a, v16 b) { return _mm512_mask_blend_ps(m, b, a); }
INLINE m16 m_and(m16 a, m16 b) { return a & b; }
INLINE m16 m_or(m16 a, m16 b) { return a | b; }
INLINE m16 m_not(m16 a) { return (m16)~a; }

INLINE u32 m_bits(m16 a) { return a; }

INLINE w16 v_bits(v16 a) { return _mm512_castps_si512(a); }
INLINE v16 w_bits(w16 a) { return _mm512_castsi512_ps(a); }
INLINE v16 v_from_w(w16 a) { return _mm512_cvtepi32_ps(a); }
INLINE w16 w_from_v(v16 a) { return _mm512_cvttps_epi32(a); }
INLINE v16 v_from_u8(const u8 *p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p)));
}

/** The last two levels of the tree. */
INLINE f32 q_sum(__m128 a) {
  a = _mm_add_ps(a, _mm_movehl_ps(a, a));
  return _mm_cvtss_f32(_mm_add_ss(a, _mm_movehdup_ps(a)));
}
INLINE f32 q_reduce_max(__m128 a) {
  a = _mm_max_ps(a, _mm_movehl_ps(a, a));
  return _mm_cvtss_f32(_mm_max_ss(a, _mm_movehdup_ps(a)));
}
INLINE f32 v_sum(v16 a) {
  __m256 half = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
  return q_sum(_mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1)));
}
INLINE f32 v_reduce_max(v16 a) {
  __m256 half = _mm256_max_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
  return q_reduce_max(_mm_max_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1)));
}

INLINE w16 w_load(const void *p) { return _mm512_loadu_si512(p); }
INLINE void w_store(void *p, w16 a) { _mm512_storeu_si512(p, a); }
INLINE w16 w_load_n(const void *p, i32 n) { return _mm512_maskz_loadu_epi32(m_first(n), p); }
INLINE void w_store_n(void *p, w16 a, i32 n) { _mm512_mask_storeu_epi32(p, m_first(n), a); }
INLINE w16 w_set(i32 x) { return _mm512_set1_epi32(x); }
INLINE w16 w_add(w16 a, w16 b) { return _mm512_add_epi32(a, b); }
INLINE w16 w_sub(w16 a, w16 b) { return _mm512_sub_epi32(a, b); }
INLINE w16 w_mul(w16 a, w16 b) { return _mm512_mullo_epi32(a, b); }
INLINE w16 w_mulhi(w16 a, w16 b) {
  __m512i even = _mm512_srli_epi64(_mm512_mul_epu32(a, b), 32);
  __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), _mm512_srli_epi64(b, 32));
  return _mm512_mask_blend_epi32(0xaaaa, even, odd);
}
INLINE w16 w_and(w16 a, w16 b) { return _mm512_and_si512(a, b); }
INLINE w16 w_or(w16 a, w16 b) { return _mm512_or_si512(a, b); }
INLINE w16 w_xor(w16 a, w16 b) { return _mm512_xor_si512(a, b); }
#define w_shl(a, k) _mm512_slli_epi32(a, k)
#define w_shr(a, k) _mm512_srli_epi32(a, k)
#define w_sar(a, k) _mm512_srai_epi32(a, k)
INLINE m16 w_eq(w16 a, w16 b) { return _mm512_cmpeq_epi32_mask(a, b); }
INLINE m16 w_gt(w16 a, w16 b) { return _mm512_cmpgt_epi32_mask(a, b); }
INLINE w16 w_select(m16 m, w16 a, w16 b) { return _mm512_mask_blend_epi32(m, b, a); }

#define LANES 16
typedef __m512 vec;
INLINE vec x_zero(void) { return v_zero(); }
INLINE vec x_set(f32 x) { return v_set(x); }
INLINE vec x_load(const void *p) { return v_load(p); }
INLINE void x_store(void *p, vec a) { v_store(p, a); }
INLINE vec x_load_n(const void *p, i32 n) { return v_load_n(p, n); }
INLINE void x_store_n(void *p, vec a, i32 n) { v_store_n(p, a, n); }
INLINE vec x_fma(vec a, vec b, vec c) { return v_fma(a, b, c); }
INLINE vec x_add(vec a, vec b) { return v_add(a, b); }
INLINE vec x_max(vec a, vec b) { return v_max(a, b); }
INLINE void x_transpose(vec t[LANES]) {
  vec u[16];
  for (i32 i = 0; i < 16; i += 4) {
    vec ab = _mm512_unpacklo_ps(t[i], t[i + 1]), AB = _mm512_unpackhi_ps(t[i], t[i + 1]);
    vec cd = _mm512_unpacklo_ps(t[i + 2], t[i + 3]), CD = _mm512_unpackhi_ps(t[i + 2], t[i + 3]);
    u[i] = _mm512_shuffle_ps(ab, cd, 0x44);
    u[i + 1] = _mm512_shuffle_ps(ab, cd, 0xee);
    u[i + 2] = _mm512_shuffle_ps(AB, CD, 0x44);
    u[i + 3] = _mm512_shuffle_ps(AB, CD, 0xee);
  }
  // u[4g + i] holds, in its quarter q, rows 4g.. of column 4q + i: now the quarters are exchanged.
  for (i32 i = 0; i < 4; i++) {
    vec a = _mm512_shuffle_f32x4(u[i], u[i + 4], 0x88), b = _mm512_shuffle_f32x4(u[i], u[i + 4], 0xdd);
    vec c = _mm512_shuffle_f32x4(u[i + 8], u[i + 12], 0x88), d = _mm512_shuffle_f32x4(u[i + 8], u[i + 12], 0xdd);
    t[i] = _mm512_shuffle_f32x4(a, c, 0x88);
    t[i + 4] = _mm512_shuffle_f32x4(b, d, 0x88);
    t[i + 8] = _mm512_shuffle_f32x4(a, c, 0xdd);
    t[i + 12] = _mm512_shuffle_f32x4(b, d, 0xdd);
  }
}


INLINE f32 f32_fma(f32 a, f32 b, f32 c) { return __builtin_fmaf(a, b, c); }
INLINE f32 f32_sqrt(f32 a) { return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(a))); }
