/**
 * Random numbers as a function of key and element index, so that every machine draws the same ones, in any order and
 * split in any way at multiples of four: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy
 * as 1, 2, 3", 2011) with the counter (index / 4, 0, 0, 0); its four words belong to four elements.
 */
#include "kernel.h"
#include "math.h"

/** Words of sixteen successive counters: word[j], lane i belongs to element 4*i + j of 64. */
typedef struct {
  w16 word[4];
} Draws;

#define DRAWS 64

INLINE Draws philox(i32 counter, i32 key0, i32 key1) {
  static const i32 ascending[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const w16 multiplier0 = w_set((i32)0xd2511f53), multiplier1 = w_set((i32)0xcd9e8d57);
  w16 c0 = w_add(w_set(counter), w_load(ascending)), c1 = w_set(0), c2 = c1, c3 = c1;
  u32 k0 = (u32)key0, k1 = (u32)key1;
  for (i32 round = 0; round < 10; round++) {
    const w16 high0 = w_mulhi(multiplier0, c0), high1 = w_mulhi(multiplier1, c2);
    const w16 low0 = w_mul(multiplier0, c0), low1 = w_mul(multiplier1, c2);
    c0 = w_xor(w_xor(high1, c1), w_set((i32)k0));
    c1 = low1;
    c2 = w_xor(w_xor(high0, c3), w_set((i32)k1));
    c3 = low0;
    k0 += 0x9e3779b9;
    k1 += 0xbb67ae85;
  }
  return (Draws){{c0, c1, c2, c3}};
}

/** Writes the first n of 64 elements in their order. */
INLINE void store_draws(f32 *out, const v16 *value, i32 n) {
  f32 lane[4][16];
  for (i32 j = 0; j < 4; j++) v_store(lane[j], value[j]);
  const i32 count = n < DRAWS ? n : DRAWS;
  for (i32 i = 0; i < count; i++) out[i] = lane[i & 3][i >> 2];
}

/** The upper 24 bits as an integer. */
INLINE w16 upper_bits(w16 word) { return w_shr(word, 8); }

/** out[i] = fma(u, high - low, low), u = (word >> 8) * 2^-24 in [0, 1) */
KERNEL(randomUniform, PTR out, I32 n, I32 key0, I32 key1, F32 low, F32 high) {
  const v16 unit = v_set(0x1p-24f), width = v_set(high - low), start = v_set(low);
  for (i32 at = 0; at < n; at += DRAWS) {
    const Draws draws = philox(at / 4, key0, key1);
    v16 value[4];
    for (i32 j = 0; j < 4; j++)
      value[j] = v_fma(v_mul(v_from_w(upper_bits(draws.word[j])), unit), width, start);
    store_draws((f32 *)out + at, value, n - at);
  }
}

/** The angle 2 pi * turn * 2^-24: the quadrant comes from the integer, so nothing is lost. */
INLINE Angle angle_of_turn(w16 turn) {
  const w16 quadrant = w_shr(w_add(turn, w_set(1 << 21)), 22);
  const v16 rest = v_from_w(w_sub(turn, w_shl(quadrant, 22)));
  return (Angle){quadrant, v_mul(rest, v_set(0x1.921fb6p-22f))};
}

/**
 * Normally distributed: Box, Muller, "A note on the generation of random normal deviates" (1958). Words 0 and 1 of a
 * counter give elements 0 and 1, words 2 and 3 elements 2 and 3:
 *
 *     u = ((word0 >> 8) + 1) * 2^-24 in (0, 1]     radius = sqrt(-2 * ln u)     angle = 2 pi * (word1 >> 8) * 2^-24
 *     out = fma(radius * cos(angle), deviation, mean), fma(radius * sin(angle), deviation, mean)
 */
KERNEL(randomNormal, PTR out, I32 n, I32 key0, I32 key1, F32 mean, F32 deviation) {
  const v16 unit = v_set(0x1p-24f), width = v_set(deviation), center = v_set(mean);
  for (i32 at = 0; at < n; at += DRAWS) {
    const Draws draws = philox(at / 4, key0, key1);
    v16 value[4];
    for (i32 j = 0; j < 4; j += 2) {
      const v16 u = v_mul(v_from_w(w_add(upper_bits(draws.word[j]), w_set(1))), unit);
      const v16 radius = v_sqrt(v_mul(v_set(-2), v_log(u)));
      const Angle angle = angle_of_turn(upper_bits(draws.word[j + 1]));
      value[j] = v_fma(v_mul(radius, v_cos_of(angle)), width, center);
      value[j + 1] = v_fma(v_mul(radius, v_sin_of(angle)), width, center);
    }
    store_draws((f32 *)out + at, value, n - at);
  }
}
