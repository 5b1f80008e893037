/**
 * Conversions to and from bfloat16 (the upper 16 bits of a float), float16 (IEEE 754 binary16) and int8 with one scale for
 * all elements; rounding to nearest, ties to even. A word holds two or four codes, the first in its lowest bits; unused bits
 * of the last word are 0.
 */
#include "kernel.h"
#include "lanes.h"

/** The upper 16 bits, rounded; every NaN becomes 0x7fc0. */
INLINE w16 bfloat16_of(v16 x) {
  const w16 bits = v_bits(x);
  const w16 odd = w_and(w_shr(bits, 16), w_set(1));
  const w16 rounded = w_shr(w_add(bits, w_add(odd, w_set(0x7fff))), 16);
  return w_select(v_eq(x, x), rounded, w_set(0x7fc0));
}

/** The value of a bfloat16. */
INLINE v16 of_bfloat16(w16 code) { return w_bits(w_shl(code, 16)); }

/**
 * float16 of sixteen floats: infinity from 65520 on, every NaN is 0x7e00. Below 2^-14, where float16 is subnormal, adding
 * 1/2 rounds to multiples of 2^-24; elsewhere the mantissa is rounded to ten bits.
 */
INLINE w16 float16_of(v16 x) {
  const w16 bits = v_bits(x), size = w_and(bits, w_set(0x7fffffff));
  const w16 sign = w_and(w_shr(bits, 16), w_set(0x8000));
  const w16 odd = w_and(w_shr(size, 13), w_set(1));
  const w16 normal = w_shr(w_add(size, w_add(odd, w_set((i32)0xc8000fff))), 13);
  const w16 small = w_sub(v_bits(v_add(w_bits(size), v_set(0.5f))), w_set(0x3f000000));
  w16 code = w_select(w_gt(w_set(0x38800000), size), small, normal);
  code = w_select(w_gt(size, w_set(0x477fefff)), w_set(0x7c00), code);
  return w_select(w_gt(size, w_set(0x7f800000)), w_set(0x7e00), w_or(code, sign));
}

/** The value of a float16; subnormal codes are multiplied by 2^-24, which is exact. */
INLINE v16 of_float16(w16 code) {
  const w16 size = w_and(code, w_set(0x7fff)), sign = w_shl(w_and(code, w_set(0x8000)), 16);
  const w16 normal = w_add(w_shl(size, 13), w_set(112 << 23));
  const w16 small = v_bits(v_mul(v_from_w(size), v_set(0x1p-24f)));
  w16 bits = w_select(w_gt(w_set(0x0400), size), small, normal);
  bits = w_select(w_gt(size, w_set(0x7bff)), w_or(w_shl(size, 13), w_set(0x7f800000)), bits);
  return w_bits(w_or(bits, sign));
}

/** Stores and loads `lanes` codes of sixteen bits, two in a word. */
INLINE void store_codes16(u32 *out, w16 code, i32 lanes) {
  u32 each[16];
  w_store(each, code);
  for (i32 i = 0; i < lanes; i += 2) out[i / 2] = each[i] | (i + 1 < lanes ? each[i + 1] << 16 : 0);
}
INLINE w16 load_codes16(const u32 *in, i32 lanes) {
  u32 each[16] = {0};
  for (i32 i = 0; i < lanes; i++) each[i] = in[i / 2] >> 16 * (i & 1) & 0xffff;
  return w_load(each);
}

KERNEL(floatToBfloat16, PTR a, PTR out, I32 n) {
  BLOCKS_LONG(n, store_codes16((u32 *)out + at / 2, bfloat16_of(part_load((const f32 *)a + at, lanes)), lanes););
}
KERNEL(bfloat16ToFloat, PTR a, PTR out, I32 n) {
  BLOCKS_LONG(n, part_store((f32 *)out + at, of_bfloat16(load_codes16((const u32 *)a + at / 2, lanes)), lanes););
}
/** out = a, rounded to bfloat16. */
KERNEL(roundToBfloat16, PTR a, PTR out, I32 n) {
  BLOCKS(n, block_store((f32 *)out + at, of_bfloat16(bfloat16_of(block_load((const f32 *)a + at, lanes))), lanes););
}
KERNEL(floatToFloat16, PTR a, PTR out, I32 n) {
  BLOCKS_LONG(n, store_codes16((u32 *)out + at / 2, float16_of(part_load((const f32 *)a + at, lanes)), lanes););
}
KERNEL(float16ToFloat, PTR a, PTR out, I32 n) {
  BLOCKS_LONG(n, part_store((f32 *)out + at, of_float16(load_codes16((const u32 *)a + at / 2, lanes)), lanes););
}

/**
 * out[i] = a[i] / scale, rounded to an integer from -127 to 127; NaN becomes 0. The scale of a tensor is its largest
 * magnitude / 127.
 */
KERNEL(floatToInt8, PTR a, PTR scale, PTR out, I32 n) {
  const v16 divisor = v_set(*(const f32 *)scale), rounder = v_set(0x1.8p23f);
  for (i32 at = 0; at < n; at += 16) {
    const i32 lanes = n - at < 16 ? n - at : 16;
    v16 x = v_div(part_load((const f32 *)a + at, lanes), divisor);
    x = v_select(v_eq(x, x), v_max(v_set(-127), v_min(v_set(127), x)), v_zero());
    u32 each[16];
    w_store(each, w_sub(v_bits(v_add(x, rounder)), v_bits(rounder)));
    for (i32 i = 0; i < lanes; i += 4) {
      u32 word = 0;
      for (i32 j = 0; j < 4 && i + j < lanes; j++) word |= (each[i + j] & 0xff) << 8 * j;
      ((u32 *)out)[(at + i) / 4] = word;
    }
  }
}

/** out[i] = a[i] * scale */
KERNEL(int8ToFloat, PTR a, PTR scale, PTR out, I32 n) {
  const v16 factor = v_set(*(const f32 *)scale);
  for (i32 at = 0; at < n; at += 16) {
    const i32 lanes = n - at < 16 ? n - at : 16;
    i32 each[16] = {0};
    for (i32 i = 0; i < lanes; i++) each[i] = (i32)(((const u32 *)a)[(at + i) / 4] << (24 - 8 * (i & 3))) >> 24;
    part_store((f32 *)out + at, v_mul(v_from_w(w_load(each)), factor), lanes);
  }
}
