/**
 * Block quantisation: vectors as integers of 8 or 4 bits, with one scale for each block of 256 or 64 elements. With L the
 * largest integer (127 or 7; unsigned 255 or 15) and m the largest magnitude of the block,
 *
 *     scale = m / L, rounded up to a bfloat16, at least 2^-110
 *     code  = x * (1 / scale), rounded to the nearest integer, ties to even, and limited to -L .. L
 *     value = code * scale, which is exact
 *
 * With random bits, a number u from [-1/2, 1/2) is added before rounding, so the mean of the values is x. In the unsigned
 * variant L is 255 or 15, and a positive x never becomes 0. A block that holds infinity or NaN (or, unsigned, a negative
 * number) gets a scale of NaN: all its values are NaN, and none of them looks like a number.
 *
 * A word holds four or eight codes, or two scales, the first in its lowest bits; unused bits of the last word are 0.
 */
#include "kernel.h"
#include "lanes.h"
#include "philox.h"

/** The bfloat16 that is NaN, and the smallest scale, 2^-110. */
#define SCALE_NAN 0x7fc0
#define SCALE_LEAST 0x0880
/** Elements whose random bits one call of philox draws: four words for each of sixteen counters. */
#define DRAWN 64

/** Floats of a block, and the largest code. */
INLINE i32 quantum_block(i32 bits) { return bits == 8 ? 256 : 64; }
INLINE f32 quantum_limit(i32 bits, i32 is_unsigned) { return (f32)((1 << (bits - !is_unsigned)) - 1); }

INLINE f32 scale_value(u32 code) {
  const u32 bits = code << 16;
  f32 value;
  __builtin_memcpy(&value, &bits, 4);
  return value;
}
INLINE u32 scale_bits(f32 value) {
  u32 bits;
  __builtin_memcpy(&bits, &value, 4);
  return bits;
}

/** The elements of a block as they are quantised: a negative one is NaN in the unsigned variant. */
INLINE v16 quantum_load(const f32 *x, i32 lanes, i32 is_unsigned) {
  const v16 value = part_load(x, lanes);
  return is_unsigned ? v_select(v_lt(value, v_zero()), w_bits(w_set(0x7fc00000)), value) : value;
}

/** The scale of a block of n elements, as a bfloat16. */
INLINE u32 block_scale(const f32 *x, i32 n, f32 limit, i32 is_unsigned) {
  // The bits of magnitudes are ordered as the magnitudes are, and those of NaN are the largest.
  w16 top = w_set(0);
  BLOCKS(n, const w16 size = w_and(v_bits(quantum_load(x + at, lanes, is_unsigned)), w_set(0x7fffffff));
         top = w_select(w_gt(size, top), size, top););
  i32 each[16], most = 0;
  w_store(each, top);
  for (i32 i = 0; i < 16; i++) most = larger(most, each[i]);
  if (most >= 0x7f800000) return SCALE_NAN;
  f32 largest;
  __builtin_memcpy(&largest, &most, 4);
  const u32 code = (scale_bits(largest / limit) + 0xffff) >> 16;
  if (code < SCALE_LEAST) return SCALE_LEAST;
  // Rounded up, the largest value of the block could be infinite.
  return scale_bits(limit * scale_value(code)) == 0x7f800000 ? code - 1 : code;
}

/** The random numbers of DRAWN elements, the first of which has the index `first`. */
INLINE void draw_dither(f32 *dither, i32 first, i32 step, i32 key0, i32 key1) {
  const Draws draws = philox(first / 4, (CounterTail){step, 0}, key0, key1);
  u32 each[4][16];
  for (i32 j = 0; j < 4; j++) w_store(each[j], draws.word[j]);
  for (i32 i = 0; i < DRAWN; i++) dither[i] = (f32)(i32)(each[i & 3][i >> 2] >> 8) * 0x1p-24f - 0.5f;
}

/** Packs sixteen codes, of which the first `lanes` count. */
INLINE void store_quanta(u32 *out, w16 code, i32 lanes, i32 bits) {
  u32 each[16];
  w_store(each, lanes == 16 ? code : w_select(m_first(lanes), code, w_set(0)));
  u8 bytes[16];
  if (bits == 8)
    for (i32 i = 0; i < 16; i++) bytes[i] = (u8)each[i];
  else
    for (i32 i = 0; i < 8; i++) bytes[i] = (u8)((each[2 * i] & 15) | each[2 * i + 1] << 4);
  if (lanes == 16)
    __builtin_memcpy(out, bytes, (u32)(2 * bits));
  else
    __builtin_memcpy(out, bytes, (u32)((lanes * bits + 31) / 32 * 4));
}

/** How blocks are quantised. */
typedef struct {
  const i32 *step;
  i32 first, key0, key1;
} Dither;

/**
 * Quantises a block of n elements. `codes`: where they are packed; NULL: their values replace the elements. `dither`: numbers
 * that are added before rounding, or NULL.
 */
INLINE void quantize_block(f32 *x, u32 *codes, i32 n, u32 scale, const f32 *dither, const i32 bits,
                           const i32 is_unsigned) {
  const f32 limit = quantum_limit(bits, is_unsigned), value_of = scale_value(scale);
  const v16 factor = v_set(1 / value_of), most = v_set(limit), least = v_set(is_unsigned ? 0 : -limit);
  const v16 rounder = v_set(0x1.8p23f), quantum = v_set(value_of);
  BLOCKS(n, const v16 value = part_load(x + at, lanes); v16 t = v_mul(value, factor);
         if (dither) t = v_add(t, v_load(dither + at));
         t = v_max(least, v_min(most, t));
         w16 code = w_sub(v_bits(v_add(t, rounder)), v_bits(rounder));
         if (is_unsigned) code = w_select(v_gt(value, v_zero()), w_select(w_gt(code, w_set(0)), code, w_set(1)), code);
         if (codes) store_quanta(codes + at * bits / 32, code, lanes, bits);
         else part_store(x + at, v_mul(v_from_w(code), quantum), lanes););
}

/** A block that is not finite. */
INLINE void spoil_block(f32 *x, u32 *codes, i32 n, i32 bits) {
  if (codes)
    for (i32 i = 0; i < (n * bits + 31) / 32; i++) codes[i] = 0;
  else
    for (i32 i = 0; i < n; i++) x[i] = scale_value(SCALE_NAN);
}

INLINE void quantize_all(f32 *x, u32 *scales, u32 *codes, i32 n, Dither d, const i32 bits, const i32 is_unsigned) {
  const i32 block = quantum_block(bits);
  f32 dither[256];
  for (i32 from = 0, index = 0; from < n; from += block, index++) {
    const i32 count = n - from < block ? n - from : block;
    const u32 scale = block_scale(x + from, count, quantum_limit(bits, is_unsigned), is_unsigned);
    if (codes) scales[index / 2] = index & 1 ? scales[index / 2] | scale << 16 : scale;
    u32 *out = codes ? codes + from * bits / 32 : 0;
    if (scale == SCALE_NAN) {
      spoil_block(x + from, out, count, bits);
      continue;
    }
    if (d.step)
      for (i32 i = 0; i < count; i += DRAWN) draw_dither(dither + i, d.first + from + i, *d.step, d.key0, d.key1);
    quantize_block(x + from, out, count, scale, d.step ? dither : 0, bits, is_unsigned);
  }
}

/** With constants for the formats, so that each has its own loop. */
#define EACH_FORMAT(call)                             \
  do {                                                \
    if (bits == 8 && !isUnsigned) call(8, 0);         \
    else if (bits == 8) call(8, 1);                   \
    else if (!isUnsigned) call(4, 0);                 \
    else call(4, 1);                                  \
  } while (0)

/**
 * scales, codes = a[n]. Random bits depend on the step, the index of the first element (a multiple of 4) and the key;
 * without a step there are none.
 */
KERNEL(encodeBlocks, PTR a, PTR scales, PTR codes, I32 n, I32 bits, I32 isUnsigned, PTR step, I32 first, I32 key0,
       I32 key1) {
  const Dither dither = {step, first, key0, key1};
#define ENCODE(width, sign) quantize_all(a, scales, codes, n, dither, width, sign)
  EACH_FORMAT(ENCODE);
#undef ENCODE
}

/** a[n] = the values of its codes: what encodeBlocks and decodeBlocks make of it. */
KERNEL(quantizeBlocks, PTR a, I32 n, I32 bits, I32 isUnsigned, PTR step, I32 first, I32 key0, I32 key1) {
  const Dither dither = {step, first, key0, key1};
#define QUANTIZE(width, sign) quantize_all(a, 0, 0, n, dither, width, sign)
  EACH_FORMAT(QUANTIZE);
#undef QUANTIZE
}

/** Sixteen codes as integers, of which the first `lanes` count. */
INLINE w16 load_quanta(const u32 *in, i32 lanes, i32 bits, i32 is_unsigned) {
  i32 each[16] = {0};
  const i32 in_word = 32 / bits;
  for (i32 i = 0; i < lanes; i++) {
    const u32 top = in[i / in_word] << (32 - bits - bits * (i % in_word));
    each[i] = is_unsigned ? (i32)(top >> (32 - bits)) : (i32)top >> (32 - bits);
  }
  return w_load(each);
}

INLINE void decode_all(const u32 *scales, const u32 *codes, f32 *out, i32 n, const i32 bits, const i32 is_unsigned) {
  const i32 block = quantum_block(bits);
  for (i32 from = 0, index = 0; from < n; from += block, index++) {
    const i32 count = n - from < block ? n - from : block;
    const v16 scale = v_set(scale_value(scales[index / 2] >> 16 * (index & 1) & 0xffff));
    const u32 *in = codes + from * bits / 32;
    BLOCKS(count, part_store(out + from + at,
                             v_mul(v_from_w(load_quanta(in + at * bits / 32, lanes, bits, is_unsigned)), scale),
                             lanes););
  }
}

/** out[n] = the values of codes */
KERNEL(decodeBlocks, PTR scales, PTR codes, PTR out, I32 n, I32 bits, I32 isUnsigned) {
#define DECODE(width, sign) decode_all(scales, codes, out, n, width, sign)
  EACH_FORMAT(DECODE);
#undef DECODE
}
