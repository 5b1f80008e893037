/**
 * Random numbers for training: a function of the key (seed of the run and layer), the step and the sample. They do not
 * depend on which thread or worker computes the sample, or with which other samples.
 *
 * The cursor is three words {byte offset of the order of sample ids in the epoch, position of the first sample of the batch
 * in it, step}; row r is sample order[position + first + r]. Without a cursor every row draws the same numbers: for calls
 * whose result does not depend on them.
 */
#pragma once
#include "philox.h"

/** The random numbers of one sample at one step. */
typedef struct {
  CounterTail tail;
  i32 key0, key1;
} RandomStream;

INLINE RandomStream random_stream_of(const Thread *thread, const void *cursor, i32 first, i32 row, i32 key0, i32 key1) {
  if (!cursor) return (RandomStream){{0, 0}, key0, key1};
  const u32 *cell = cursor;
  const i32 *order = (const i32 *)(thread->base + cell[0]) + cell[1];
  return (RandomStream){{order[first + row], (i32)cell[2]}, key0, key1};
}

/** The words of the counters first .. first + 15. */
INLINE Draws draw(const RandomStream *stream, i32 first) {
  return philox(first, stream->tail, stream->key0, stream->key1);
}

/** An integer from 0 to bound - 1: the upper 32 bits of word * bound. For small bounds all are nearly equally likely. */
INLINE i32 below(u32 word, i32 bound) { return (i32)(((u64)word * (u32)bound) >> 32); }
