/**
 * Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011): four random words as a
 * function of a key of two words and a counter of four words.
 */
#pragma once
#include "kernel.h"

/** Words of sixteen successive counters: word[j], lane i belongs to the counter {first + i, ...}. */
typedef struct {
  w16 word[4];
} Draws;

/** The second and third word of a counter; the fourth is 0. */
typedef struct {
  i32 c1, c2;
} CounterTail;

INLINE Draws philox(i32 first, CounterTail tail, i32 key0, i32 key1) {
  static const i32 ascending[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const w16 multiplier0 = w_set((i32)0xd2511f53), multiplier1 = w_set((i32)0xcd9e8d57);
  w16 c0 = w_add(w_set(first), w_load(ascending)), c1 = w_set(tail.c1), c2 = w_set(tail.c2), c3 = w_set(0);
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

/** The upper 24 bits as an integer. */
INLINE w16 upper_bits(w16 word) { return w_shr(word, 8); }
