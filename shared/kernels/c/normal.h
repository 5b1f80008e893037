/** Normally distributed numbers: Box, Muller, "A note on the generation of random normal deviates" (1958). */
#pragma once
#include "math.h"
#include "philox.h"

/** The angle 2 pi * turn * 2^-24: the quadrant is computed from the integer, without rounding. */
INLINE Angle angle_of_turn(w16 turn) {
  const w16 quadrant = w_shr(w_add(turn, w_set(1 << 21)), 22);
  const v16 rest = v_from_w(w_sub(turn, w_shl(quadrant, 22)));
  return (Angle){quadrant, v_mul(rest, v_set(0x1.921fb6p-22f))};
}

/** Two normal numbers in each lane. */
typedef struct {
  v16 a, b;
} Pair;

/**
 * u = ((word0 >> 8) + 1) * 2^-24 in (0, 1]     radius = sqrt(-2 * ln u)     angle = 2 pi * (word1 >> 8) * 2^-24
 * a = radius * cos(angle)                      b = radius * sin(angle)
 */
INLINE Pair normal_pair(w16 word0, w16 word1) {
  const v16 u = v_mul(v_from_w(w_add(upper_bits(word0), w_set(1))), v_set(0x1p-24f));
  const v16 radius = v_sqrt(v_mul(v_set(-2), v_log(u)));
  const Angle angle = angle_of_turn(upper_bits(word1));
  return (Pair){v_mul(radius, v_cos_of(angle)), v_mul(radius, v_sin_of(angle))};
}
