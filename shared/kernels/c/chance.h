/**
 * Random numbers while training: a function of the run's seed and the layer (they make the key), the step, and the sample.
 * Who computes the sample, and with which others, does not enter.
 *
 * The cursor is three words {byte offset of the epoch's order of sample ids, position of the batch's first sample in it,
 * step}; row r is the sample order[position + first + r]. Without a cursor every row draws the same: for calls that leave
 * nothing to chance.
 */
#pragma once
#include "philox.h"

/** What one sample's random numbers are drawn with. */
typedef struct {
  Stream stream;
  i32 key0, key1;
} Chance;

INLINE Chance chance_of(const Thread *thread, const void *cursor, i32 first, i32 row, i32 key0, i32 key1) {
  if (!cursor) return (Chance){{0, 0}, key0, key1};
  const u32 *cell = cursor;
  const i32 *order = (const i32 *)(thread->base + cell[0]) + cell[1];
  return (Chance){{order[first + row], (i32)cell[2]}, key0, key1};
}

INLINE Draws draw(const Chance *chance, i32 first) {
  return philox(first, chance->stream, chance->key0, chance->key1);
}

/** An integer from 0 to bound - 1: the high half of word * bound. For small bounds all are nearly equally likely. */
INLINE i32 below(u32 word, i32 bound) { return (i32)(((u64)word * (u32)bound) >> 32); }
