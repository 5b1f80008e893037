/** x86-64 with AVX2 and FMA: two vectors of 256 bits. */
#pragma once
#include <immintrin.h>

typedef struct {
  __m256 h[2];
} v16;
typedef struct {
  __m256i h[2];
} w16;
typedef struct {
  __m256 h[2];
} m16;

#define HALVES(T, expression)                                   \
  T r;                                                          \
  for (i32 i = 0; i < 2; i++) r.h[i] = (expression); \
  return r

/** All bits of lane i are set where i < n. */
INLINE __m256i h_first(i32 n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
INLINE m16 m_first(i32 n) { HALVES(m16, _mm256_castsi256_ps(h_first(n - 8 * i))); }
INLINE v16 v_load(const void *p) { HALVES(v16, _mm256_loadu_ps((const f32 *)p + 8 * i)); }
INLINE void v_store(void *p, v16 a) {
  for (i32 i = 0; i < 2; i++) _mm256_storeu_ps((f32 *)p + 8 * i, a.h[i]);
}
INLINE v16 v_load_n(const void *p, i32 n) {
  HALVES(v16, _mm256_maskload_ps((const f32 *)p + 8 * i, h_first(n - 8 * i)));
}
INLINE void v_store_n(void *p, v16 a, i32 n) {
  for (i32 i = 0; i < 2; i++) _mm256_maskstore_ps((f32 *)p + 8 * i, h_first(n - 8 * i), a.h[i]);
}
INLINE v16 v_set(f32 x) { HALVES(v16, _mm256_set1_ps(x)); }
INLINE v16 v_zero(void) { HALVES(v16, _mm256_setzero_ps()); }

INLINE v16 v_fma(v16 a, v16 b, v16 c) { HALVES(v16, _mm256_fmadd_ps(a.h[i], b.h[i], c.h[i])); }
INLINE v16 v_add(v16 a, v16 b) { HALVES(v16, _mm256_add_ps(a.h[i], b.h[i])); }
INLINE v16 v_sub(v16 a, v16 b) { HALVES(v16, _mm256_sub_ps(a.h[i], b.h[i])); }
INLINE v16 v_mul(v16 a, v16 b) { HALVES(v16, _mm256_mul_ps(a.h[i], b.h[i])); }
INLINE v16 v_div(v16 a, v16 b) { HALVES(v16, _mm256_div_ps(a.h[i], b.h[i])); }
INLINE v16 v_sqrt(v16 a) { HALVES(v16, _mm256_sqrt_ps(a.h[i])); }
INLINE v16 v_neg(v16 a) { HALVES(v16, _mm256_xor_ps(a.h[i], _mm256_set1_ps(-0.0f))); }
INLINE v16 v_abs(v16 a) { HALVES(v16, _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.h[i])); }
INLINE v16 v_min(v16 a, v16 b) { HALVES(v16, _mm256_min_ps(a.h[i], b.h[i])); }
INLINE v16 v_max(v16 a, v16 b) { HALVES(v16, _mm256_max_ps(a.h[i], b.h[i])); }

INLINE m16 v_lt(v16 a, v16 b) { HALVES(m16, _mm256_cmp_ps(a.h[i], b.h[i], _CMP_LT_OQ)); }
INLINE m16 v_le(v16 a, v16 b) { HALVES(m16, _mm256_cmp_ps(a.h[i], b.h[i], _CMP_LE_OQ)); }
INLINE m16 v_gt(v16 a, v16 b) { HALVES(m16, _mm256_cmp_ps(a.h[i], b.h[i], _CMP_GT_OQ)); }
INLINE m16 v_ge(v16 a, v16 b) { HALVES(m16, _mm256_cmp_ps(a.h[i], b.h[i], _CMP_GE_OQ)); }
INLINE m16 v_eq(v16 a, v16 b) { HALVES(m16, _mm256_cmp_ps(a.h[i], b.h[i], _CMP_EQ_OQ)); }
INLINE v16 v_select(m16 m, v16 a, v16 b) { HALVES(v16, _mm256_blendv_ps(b.h[i], a.h[i], m.h[i])); }
INLINE m16 m_and(m16 a, m16 b) { HALVES(m16, _mm256_and_ps(a.h[i], b.h[i])); }
INLINE m16 m_or(m16 a, m16 b) { HALVES(m16, _mm256_or_ps(a.h[i], b.h[i])); }
INLINE m16 m_not(m16 a) {
  HALVES(m16, _mm256_xor_ps(a.h[i], _mm256_castsi256_ps(_mm256_set1_epi32(-1))));
}

INLINE u32 m_bits(m16 a) {
  return (u32)_mm256_movemask_ps(a.h[0]) | (u32)_mm256_movemask_ps(a.h[1]) << 8;
}

INLINE w16 v_bits(v16 a) { HALVES(w16, _mm256_castps_si256(a.h[i])); }
INLINE v16 w_bits(w16 a) { HALVES(v16, _mm256_castsi256_ps(a.h[i])); }
INLINE v16 v_from_w(w16 a) { HALVES(v16, _mm256_cvtepi32_ps(a.h[i])); }
INLINE w16 w_from_v(v16 a) { HALVES(w16, _mm256_cvttps_epi32(a.h[i])); }
INLINE v16 v_from_u8(const u8 *p) {
  HALVES(v16, _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(p + 8 * i)))));
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
  __m256 half = _mm256_add_ps(a.h[0], a.h[1]);
  return q_sum(_mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1)));
}
INLINE f32 v_reduce_max(v16 a) {
  __m256 half = _mm256_max_ps(a.h[0], a.h[1]);
  return q_reduce_max(_mm_max_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1)));
}

INLINE w16 w_load(const void *p) { return v_bits(v_load(p)); }
INLINE void w_store(void *p, w16 a) { v_store(p, w_bits(a)); }
INLINE w16 w_load_n(const void *p, i32 n) { return v_bits(v_load_n(p, n)); }
INLINE void w_store_n(void *p, w16 a, i32 n) { v_store_n(p, w_bits(a), n); }
INLINE w16 w_set(i32 x) { HALVES(w16, _mm256_set1_epi32(x)); }
INLINE w16 w_add(w16 a, w16 b) { HALVES(w16, _mm256_add_epi32(a.h[i], b.h[i])); }
INLINE w16 w_sub(w16 a, w16 b) { HALVES(w16, _mm256_sub_epi32(a.h[i], b.h[i])); }
INLINE w16 w_mul(w16 a, w16 b) { HALVES(w16, _mm256_mullo_epi32(a.h[i], b.h[i])); }
INLINE __m256i h_mulhi(__m256i a, __m256i b) {
  __m256i even = _mm256_srli_epi64(_mm256_mul_epu32(a, b), 32);
  __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32));
  return _mm256_blend_epi32(even, odd, 0xaa);
}
INLINE w16 w_mulhi(w16 a, w16 b) { HALVES(w16, h_mulhi(a.h[i], b.h[i])); }
INLINE w16 w_and(w16 a, w16 b) { HALVES(w16, _mm256_and_si256(a.h[i], b.h[i])); }
INLINE w16 w_or(w16 a, w16 b) { HALVES(w16, _mm256_or_si256(a.h[i], b.h[i])); }
INLINE w16 w_xor(w16 a, w16 b) { HALVES(w16, _mm256_xor_si256(a.h[i], b.h[i])); }
INLINE w16 w_shl(w16 a, i32 k) { HALVES(w16, _mm256_slli_epi32(a.h[i], k)); }
INLINE w16 w_shr(w16 a, i32 k) { HALVES(w16, _mm256_srli_epi32(a.h[i], k)); }
INLINE w16 w_sar(w16 a, i32 k) { HALVES(w16, _mm256_srai_epi32(a.h[i], k)); }
INLINE m16 w_eq(w16 a, w16 b) { HALVES(m16, _mm256_castsi256_ps(_mm256_cmpeq_epi32(a.h[i], b.h[i]))); }
INLINE m16 w_gt(w16 a, w16 b) { HALVES(m16, _mm256_castsi256_ps(_mm256_cmpgt_epi32(a.h[i], b.h[i]))); }
INLINE w16 w_select(m16 m, w16 a, w16 b) { return v_bits(v_select(m, w_bits(a), w_bits(b))); }

#define LANES 8
typedef __m256 vec;
INLINE vec x_zero(void) { return _mm256_setzero_ps(); }
INLINE vec x_set(f32 x) { return _mm256_set1_ps(x); }
INLINE vec x_load(const void *p) { return _mm256_loadu_ps(p); }
INLINE void x_store(void *p, vec a) { _mm256_storeu_ps(p, a); }
INLINE vec x_load_n(const void *p, i32 n) { return _mm256_maskload_ps(p, h_first(n)); }
INLINE void x_store_n(void *p, vec a, i32 n) { _mm256_maskstore_ps(p, h_first(n), a); }
INLINE vec x_fma(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }
INLINE vec x_add(vec a, vec b) { return _mm256_add_ps(a, b); }
INLINE vec x_max(vec a, vec b) { return _mm256_max_ps(a, b); }
INLINE void x_transpose(vec t[LANES]) {
  vec u[8];
  for (i32 i = 0; i < 8; i += 4) {
    vec ab = _mm256_unpacklo_ps(t[i], t[i + 1]), AB = _mm256_unpackhi_ps(t[i], t[i + 1]);
    vec cd = _mm256_unpacklo_ps(t[i + 2], t[i + 3]), CD = _mm256_unpackhi_ps(t[i + 2], t[i + 3]);
    u[i] = _mm256_shuffle_ps(ab, cd, 0x44);
    u[i + 1] = _mm256_shuffle_ps(ab, cd, 0xee);
    u[i + 2] = _mm256_shuffle_ps(AB, CD, 0x44);
    u[i + 3] = _mm256_shuffle_ps(AB, CD, 0xee);
  }
  for (i32 i = 0; i < 4; i++) {
    t[i] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x20);
    t[i + 4] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x31);
  }
}


INLINE f32 f32_fma(f32 a, f32 b, f32 c) { return __builtin_fmaf(a, b, c); }
INLINE f32 f32_sqrt(f32 a) { return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(a))); }

#undef HALVES
