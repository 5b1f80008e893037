/**
 * Plain C for any processor: sixteen lanes as GCC/Clang vector extensions, which the compiler maps to what the processor
 * has. The only requirement is IEEE arithmetic without wider intermediates, so x87 is refused here.
 */
#pragma once
#if !defined(__FLT_EVAL_METHOD__) || __FLT_EVAL_METHOD__ != 0
#error "floats must be computed as floats (on 32-bit x86: -msse2 -mfpmath=sse)"
#endif

typedef f32 v16 __attribute__((vector_size(64)));
typedef i32 w16 __attribute__((vector_size(64)));
typedef w16 m16;
typedef u32 plain_u32 __attribute__((vector_size(64)));

#define EACH(T, expression)                             \
  T r;                                                \
  for (i32 i = 0; i < 16; i++) r[i] = (expression);   \
  return r

INLINE v16 v_load(const void *p) {
  v16 r;
  __builtin_memcpy(&r, p, sizeof r);
  return r;
}
INLINE void v_store(void *p, v16 a) { __builtin_memcpy(p, &a, sizeof a); }
INLINE v16 v_load_n(const void *p, i32 n) {
  v16 r = {0};
  __builtin_memcpy(&r, p, 4 * (u32)n);
  return r;
}
INLINE void v_store_n(void *p, v16 a, i32 n) { __builtin_memcpy(p, &a, 4 * (u32)n); }
INLINE v16 v_set(f32 x) { EACH(v16, x); }
INLINE v16 v_zero(void) { return (v16){0}; }

/** As in simd/wasm.h: exact product in f64, sum rounded to odd (Boldo and Melquiond 2008), then one rounding to f32. */
INLINE f32 f32_fma(f32 a, f32 b, f32 c) {
  union {
    f64 value;
    i64 bits;
  } s;
  f64 p = (f64)a * (f64)b;
  s.value = p + (f64)c;
  f64 t = s.value - p;
  f64 e = (p - (s.value - t)) + ((f64)c - t);
  f64 sign = e * s.value;
  i64 back = sign < 0;
  s.bits = (s.bits - back) | back | (sign > 0);
  return (f32)s.value;
}
INLINE f32 f32_sqrt(f32 a) { return __builtin_sqrtf(a); }

#define LANES 4
typedef f32 vec __attribute__((vector_size(16)));
typedef i32 w4 __attribute__((vector_size(16)));
typedef f64 plain_f64 __attribute__((vector_size(32)));
typedef i64 plain_i64 __attribute__((vector_size(32)));
/** f32_fma in four lanes; comparisons of vectors give -1 for true. */
INLINE vec x_fma(vec a, vec b, vec c) {
  plain_f64 p = __builtin_convertvector(a, plain_f64) * __builtin_convertvector(b, plain_f64);
  plain_f64 addend = __builtin_convertvector(c, plain_f64);
  plain_f64 s = p + addend, t = s - p;
  plain_f64 e = (p - (s - t)) + (addend - t);
  plain_f64 sign = e * s;
  plain_i64 back = sign < 0;
  s = (plain_f64)(((plain_i64)s + back) | ((back | (sign > 0)) & 1));
  return __builtin_convertvector(s, vec);
}
INLINE vec x_zero(void) { return (vec){0}; }
INLINE vec x_set(f32 x) { return (vec){x, x, x, x}; }
INLINE vec x_load_n(const void *p, i32 n) {
  vec r = {0};
  __builtin_memcpy(&r, p, 4 * (u32)n);
  return r;
}
INLINE void x_store_n(void *p, vec a, i32 n) { __builtin_memcpy(p, &a, 4 * (u32)n); }
INLINE vec x_load(const void *p) { return x_load_n(p, 4); }
INLINE void x_store(void *p, vec a) { x_store_n(p, a, 4); }
INLINE vec x_add(vec a, vec b) { return a + b; }
INLINE vec x_max(vec a, vec b) {
  w4 greater = a > b;
  return (vec)((greater & (w4)a) | (~greater & (w4)b));
}
INLINE void x_transpose(vec t[LANES]) {
  for (i32 i = 0; i < 4; i++)
    for (i32 j = 0; j < i; j++) {
      f32 swap = t[i][j];
      t[i][j] = t[j][i];
      t[j][i] = swap;
    }
}

INLINE v16 v_fma(v16 a, v16 b, v16 c) {
  f32 x[16], y[16], z[16];
  v_store(x, a);
  v_store(y, b);
  v_store(z, c);
  for (i32 i = 0; i < 16; i += 4) x_store(z + i, x_fma(x_load(x + i), x_load(y + i), x_load(z + i)));
  return v_load(z);
}
INLINE v16 v_add(v16 a, v16 b) { return a + b; }
INLINE v16 v_sub(v16 a, v16 b) { return a - b; }
INLINE v16 v_mul(v16 a, v16 b) { return a * b; }
INLINE v16 v_div(v16 a, v16 b) { return a / b; }
INLINE v16 v_sqrt(v16 a) { EACH(v16, f32_sqrt(a[i])); }

INLINE w16 v_bits(v16 a) { return (w16)a; }
INLINE v16 w_bits(w16 a) { return (v16)a; }
INLINE w16 w_set(i32 x) { EACH(w16, x); }
INLINE v16 v_neg(v16 a) { return (v16)((w16)a ^ w_set((i32)0x80000000)); }
INLINE v16 v_abs(v16 a) { return (v16)((w16)a & w_set(0x7fffffff)); }

INLINE m16 v_lt(v16 a, v16 b) { return a < b; }
INLINE m16 v_le(v16 a, v16 b) { return a <= b; }
INLINE m16 v_gt(v16 a, v16 b) { return a > b; }
INLINE m16 v_ge(v16 a, v16 b) { return a >= b; }
INLINE m16 v_eq(v16 a, v16 b) { return a == b; }
INLINE w16 w_select(m16 m, w16 a, w16 b) { return (m & a) | (~m & b); }
INLINE v16 v_select(m16 m, v16 a, v16 b) { return (v16)w_select(m, (w16)a, (w16)b); }
INLINE v16 v_min(v16 a, v16 b) { return v_select(a < b, a, b); }
INLINE v16 v_max(v16 a, v16 b) { return v_select(a > b, a, b); }
INLINE m16 m_and(m16 a, m16 b) { return a & b; }
INLINE m16 m_or(m16 a, m16 b) { return a | b; }
INLINE m16 m_not(m16 a) { return ~a; }
INLINE u32 m_bits(m16 a) {
  u32 bits = 0;
  for (i32 i = 0; i < 16; i++) bits |= (u32)(a[i] & 1) << i;
  return bits;
}
INLINE m16 m_first(i32 n) { EACH(m16, i < n ? -1 : 0); }

INLINE v16 v_from_w(w16 a) { EACH(v16, (f32)a[i]); }
INLINE w16 w_from_v(v16 a) { EACH(w16, (i32)a[i]); }
INLINE v16 v_from_u8(const u8 *p) { EACH(v16, (f32)p[i]); }

INLINE f32 v_sum(v16 a) {
  for (i32 half = 8; half > 0; half >>= 1)
    for (i32 l = 0; l < half; l++) a[l] = a[l] + a[l + half];
  return a[0];
}
INLINE f32 v_reduce_max(v16 a) {
  for (i32 half = 8; half > 0; half >>= 1)
    for (i32 l = 0; l < half; l++) a[l] = a[l] > a[l + half] ? a[l] : a[l + half];
  return a[0];
}

INLINE w16 w_load(const void *p) { return (w16)v_load(p); }
INLINE void w_store(void *p, w16 a) { v_store(p, (v16)a); }
INLINE w16 w_load_n(const void *p, i32 n) { return (w16)v_load_n(p, n); }
INLINE void w_store_n(void *p, w16 a, i32 n) { v_store_n(p, (v16)a, n); }
// Unsigned: these operations wrap around.
INLINE w16 w_add(w16 a, w16 b) { return (w16)((plain_u32)a + (plain_u32)b); }
INLINE w16 w_sub(w16 a, w16 b) { return (w16)((plain_u32)a - (plain_u32)b); }
INLINE w16 w_mul(w16 a, w16 b) { return (w16)((plain_u32)a * (plain_u32)b); }
INLINE w16 w_mulhi(w16 a, w16 b) { EACH(w16, (i32)(((u64)(u32)a[i] * (u64)(u32)b[i]) >> 32)); }
INLINE w16 w_and(w16 a, w16 b) { return a & b; }
INLINE w16 w_or(w16 a, w16 b) { return a | b; }
INLINE w16 w_xor(w16 a, w16 b) { return a ^ b; }
INLINE w16 w_shl(w16 a, i32 k) { return (w16)((plain_u32)a << (u32)k); }
INLINE w16 w_shr(w16 a, i32 k) { return (w16)((plain_u32)a >> (u32)k); }
INLINE w16 w_sar(w16 a, i32 k) { return a >> k; }
INLINE m16 w_eq(w16 a, w16 b) { return a == b; }
INLINE m16 w_gt(w16 a, w16 b) { return a > b; }

#undef EACH
