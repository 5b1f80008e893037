/**
 * Random numbers as a function of key and element index, so that every machine draws the same ones, in any order and
 * split in any way at multiples of four: the counter is (index / 4, 0, 0, 0), and its four words belong to four elements.
 */
#include "kernel.h"
#include "normal.h"

/** Elements that sixteen counters give: word j of counter i is element 4*i + j. */
#define DRAWS 64

/** Writes the first n of 64 elements in their order. */
INLINE void store_draws(f32 *out, const v16 *value, i32 n) {
  f32 lane[4][16];
  for (i32 j = 0; j < 4; j++) v_store(lane[j], value[j]);
  const i32 count = n < DRAWS ? n : DRAWS;
  for (i32 i = 0; i < count; i++) out[i] = lane[i & 3][i >> 2];
}

/** out[i] = fma(u, high - low, low), u = (word >> 8) * 2^-24 in [0, 1) */
KERNEL(randomUniform, PTR out, I32 n, I32 key0, I32 key1, F32 low, F32 high) {
  const v16 unit = v_set(0x1p-24f), width = v_set(high - low), start = v_set(low);
  for (i32 at = 0; at < n; at += DRAWS) {
    const Draws draws = philox(at / 4, (Stream){0, 0}, key0, key1);
    v16 value[4];
    for (i32 j = 0; j < 4; j++)
      value[j] = v_fma(v_mul(v_from_w(upper_bits(draws.word[j])), unit), width, start);
    store_draws((f32 *)out + at, value, n - at);
  }
}

/**
 * out[i] = fma(normal, deviation, mean): words 0 and 1 of a counter give elements 0 and 1, words 2 and 3 elements 2 and 3.
 */
KERNEL(randomNormal, PTR out, I32 n, I32 key0, I32 key1, F32 mean, F32 deviation) {
  const v16 width = v_set(deviation), center = v_set(mean);
  for (i32 at = 0; at < n; at += DRAWS) {
    const Draws draws = philox(at / 4, (Stream){0, 0}, key0, key1);
    v16 value[4];
    for (i32 j = 0; j < 4; j += 2) {
      const Pair pair = normal_pair(draws.word[j], draws.word[j + 1]);
      value[j] = v_fma(pair.a, width, center);
      value[j + 1] = v_fma(pair.b, width, center);
    }
    store_draws((f32 *)out + at, value, n - at);
  }
}
