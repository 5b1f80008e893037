/**
 * Vectors of sixteen lanes on every machine, whatever its vector width. Only this file and simd/ depend on the instruction
 * set. Every operation is correctly rounded and has the same bits in every build, except for NaN payloads.
 *
 *   v16 sixteen f32, w16 sixteen i32, m16 sixteen booleans.
 *
 *   v_load v_store (any alignment)   v_load_n v_store_n (the first n lanes, 0 <= n <= 16; the rest load as +0)
 *   v_set v_zero   v_add v_sub v_mul v_div v_sqrt   v_fma(a, b, c) = a*b + c rounded once   v_neg v_abs
 *   v_min(a, b) = a < b ? a : b   v_max(a, b) = a > b ? a : b   (the second operand when either is NaN)
 *   v_lt v_le v_gt v_ge v_eq -> m16 (false for NaN)   v_select(m, a, b) = m ? a : b
 *   m_and m_or m_not   m_first(n): lanes below n   m_bits(m): bit l for lane l   m_of_bits(b): the reverse
 *   v_bits, w_bits: reinterpret   v_from_w: i32 to f32, to nearest   w_from_v: truncation, for |x| < 2^31 only
 *   v_from_u8, v_from_u8_n: bytes 0..255 to f32
 *   w_load w_store w_load_n w_store_n w_set w_add w_sub w_mul (low half) w_mulhi (unsigned high half)
 *   w_and w_or w_xor   w_shl(a, k) w_shr(a, k) (zero fill) w_sar(a, k) (sign fill), k a constant 0..31
 *   w_eq w_gt (signed) -> m16   w_select
 *   f32_fma, f32_sqrt: the same for one lane
 *
 * For products, where accumulators must stay in registers, the native vector of the machine: `vec` of LANES floats with
 * x_zero x_set x_load x_store x_load_n x_store_n x_fma x_add x_max, and x_transpose of LANES vectors in place.
 *
 * v_sum(a), v_reduce_max(a): sum and maximum of the lanes by the fixed tree 8+8, 4+4, 2+2, 1+1: lane l with lane l+8, then
 * with lanes 4, 2 and 1 apart. The lower lane is the first operand.
 */
#pragma once

#if defined(SIMD_PLAIN)
#include "simd/plain.h"
#elif defined(__wasm_simd128__)
#include "simd/wasm.h"
#elif defined(__AVX512F__)
#include "simd/avx512.h"
#elif defined(__AVX2__) && defined(__FMA__)
#include "simd/avx2.h"
#elif defined(__aarch64__)
#include "simd/neon.h"
#else
#include "simd/plain.h"
#endif

/** max(0, a). NaN stays NaN, so that a diverging run is visible; -0 stays -0. */
INLINE v16 v_relu(v16 a) { return v_max(v_zero(), a); }
INLINE vec x_relu(vec a) { return x_max(x_zero(), a); }

INLINE m16 m_of_bits(u32 bits) {
  static const i32 lane_bit[16] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768};
  const w16 lanes = w_load(lane_bit);
  return w_eq(w_and(w_set((i32)bits), lanes), lanes);
}

/** The first n of sixteen bytes as floats; the other lanes are 0. */
INLINE v16 v_from_u8_n(const u8 *p, i32 n) {
  u8 bytes[16] = {0};
  __builtin_memcpy(bytes, p, (u32)n);
  return v_from_u8(bytes);
}

INLINE f32 f32_from_bits(u32 bits) {
  union {
    u32 bits;
    f32 value;
  } cast = {bits};
  return cast.value;
}

INLINE u32 f32_bits(f32 value) {
  union {
    f32 value;
    u32 bits;
  } cast = {value};
  return cast.bits;
}
