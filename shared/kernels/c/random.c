/**
 * Random numbers as a function of key and element index: every machine draws the same numbers, in any order and with any
 * split at multiples of four. The counter is (index / 4, 0, 0, 0), and its four words belong to four elements.
 */
#include "kernel.h"
#include "lanes.h"
#include "normal.h"

/** Elements of sixteen counters: word j of counter i is element 4*i + j. */
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
    const Draws draws = philox(at / 4, (CounterTail){0, 0}, key0, key1);
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
    const Draws draws = philox(at / 4, (CounterTail){0, 0}, key0, key1);
    v16 value[4];
    for (i32 j = 0; j < 4; j += 2) {
      const Pair pair = normal_pair(draws.word[j], draws.word[j + 1]);
      value[j] = v_fma(pair.a, width, center);
      value[j + 1] = v_fma(pair.b, width, center);
    }
    store_draws((f32 *)out + at, value, n - at);
  }
}

/**
 * g = g + normal * deviation, deviation = scale * (1 + step)^-(decay / 2) (Neelakantan et al., "Adding gradient noise
 * improves learning for very deep networks", 2015). The step is a word in memory; element i of `gradient` gets random number
 * first + i, where first is a multiple of 4.
 */
KERNEL(addGradientNoise, PTR gradient, PTR step, I32 n, I32 first, I32 key0, I32 key1, F32 scale, F32 decay) {
  const i32 steps = *(const i32 *)step;
  const v16 age = v_log(v_add(v_set(1), v_from_w(w_set(steps))));
  const v16 deviation = v_mul(v_set(scale), v_exp(v_mul(v_set(-decay / 2), age)));
  f32 noise[DRAWS];
  for (i32 from = 0; from < n; from += DRAWS) {
    const Draws draws = philox((first + from) / 4, (CounterTail){steps, 0}, key0, key1);
    v16 value[4];
    for (i32 j = 0; j < 4; j += 2) {
      const Pair pair = normal_pair(draws.word[j], draws.word[j + 1]);
      value[j] = v_mul(pair.a, deviation);
      value[j + 1] = v_mul(pair.b, deviation);
    }
    const i32 count = n - from < DRAWS ? n - from : DRAWS;
    store_draws(noise, value, count);
    f32 *g = (f32 *)gradient + from;
    BLOCKS(count, part_store(g + at, v_add(part_load(g + at, lanes), part_load(noise + at, lanes)), lanes););
  }
}

/** Limit on the draws for one number within two deviations: each draw succeeds with probability 0.954. */
#define TRUNCATED_DRAWS 64

/**
 * out[i] = fma(normal, deviation, mean) of the first normal number within [-2, 2]: first the one of randomNormal, then those
 * whose counters have 1, 2, ... as their second word.
 */
KERNEL(randomTruncatedNormal, PTR out, I32 n, I32 key0, I32 key1, F32 mean, F32 deviation) {
  const v16 width = v_set(deviation), center = v_set(mean), limit = v_set(2);
  for (i32 at = 0; at < n; at += DRAWS) {
    v16 value[4] = {v_zero(), v_zero(), v_zero(), v_zero()};
    m16 missing[4] = {m_first(16), m_first(16), m_first(16), m_first(16)};
    u32 any_missing = 1;
    for (i32 k = 0; any_missing && k < TRUNCATED_DRAWS; k++) {
      const Draws draws = philox(at / 4, (CounterTail){k, 0}, key0, key1);
      any_missing = 0;
      for (i32 j = 0; j < 4; j += 2) {
        const Pair pair = normal_pair(draws.word[j], draws.word[j + 1]);
        const v16 drawn[2] = {pair.a, pair.b};
        for (i32 i = 0; i < 2; i++) {
          const m16 is_within = v_le(v_abs(drawn[i]), limit);
          value[j + i] = v_select(m_and(missing[j + i], is_within), drawn[i], value[j + i]);
          missing[j + i] = m_and(missing[j + i], m_not(is_within));
          any_missing |= m_bits(missing[j + i]);
        }
      }
    }
    for (i32 j = 0; j < 4; j++) value[j] = v_fma(value[j], width, center);
    store_draws((f32 *)out + at, value, n - at);
  }
}

/** The sum of fma(x, y, .) over n elements, in sixteen lanes. */
INLINE f32 dot(const f32 *x, const f32 *y, i32 n) {
  v16 sum = v_zero();
  BLOCKS(n, sum = v_fma(part_load(x + at, lanes), part_load(y + at, lanes), sum););
  return v_sum(sum);
}

/**
 * Makes the rows of a[count, length], count <= length, orthonormal by the modified Gram-Schmidt method: the projections of
 * each row onto the rows before it are subtracted one after the other. This is done twice, because the first pass leaves
 * mostly rounding errors of a row that is nearly a combination of the others (Giraud et al. 2005: twice is enough).
 */
KERNEL(orthonormalRows, PTR a, I32 count, I32 length) {
  for (i32 i = 0; i < count; i++) {
    f32 *row = (f32 *)a + (isize)i * length;
    for (i32 pass = 0; pass < 2; pass++)
      for (i32 j = 0; j < i; j++) {
        const f32 *other = (const f32 *)a + (isize)j * length;
        const v16 share = v_set(-dot(row, other, length));
        BLOCKS(length, part_store(row + at, v_fma(share, part_load(other + at, lanes), part_load(row + at, lanes)), lanes););
      }
    const f32 square = dot(row, row, length);
    const v16 factor = v_set(square > 0 ? 1 / f32_sqrt(square) : 0);
    BLOCKS(length, part_store(row + at, v_mul(part_load(row + at, lanes), factor), lanes););
  }
}
