/**
 * Copies the samples of a batch out of the data. The order of an epoch is an array of sample ids. Only the cursor changes
 * from step to step: two words {byte offset of that array, position of the first sample of the batch in it}. Row r is sample
 * order[position + first + r]; sample s is record s % chunkSamples of chunk s / chunkSamples, and the field starts
 * fieldOffset bytes into the record. chunkTable: byte offset of each chunk.
 */
#include "kernel.h"
#include "lanes.h"

/** Where the field of each row lies. */
typedef struct {
  const u8 *base;
  const u32 *chunks, *order;
  u32 chunk_samples, record_bytes, field_offset;
} Batch;

INLINE Batch batch_of(const Thread *thread, const u32 *chunks, const u32 *cursor, i32 first, i32 chunk_samples,
                      i32 record_bytes, i32 field_offset) {
  const u32 *order = (const u32 *)(thread->base + cursor[0]) + cursor[1] + (u32)first;
  return (Batch){thread->base, chunks, order, (u32)chunk_samples, (u32)record_bytes, (u32)field_offset};
}

INLINE const u8 *field_of(const Batch *batch, i32 row) {
  const u32 sample = batch->order[row];
  const u32 record = sample % batch->chunk_samples * batch->record_bytes;
  return batch->base + batch->chunks[sample / batch->chunk_samples] + record + batch->field_offset;
}

/** How many rows ahead samples are prefetched: their order is random, so hardware prefetchers do not predict them. */
#define GATHER_AHEAD 4
#define LINE_BYTES 64

INLINE void prefetch_field(const Batch *batch, i32 row, i32 rows, i32 bytes) {
  if (row >= rows) return;
  const u8 *field = field_of(batch, row);
  for (i32 at = 0; at < bytes; at += LINE_BYTES) __builtin_prefetch(field + at);
}

/** out[r, e] = fma(byte, scale, shift) */
KERNEL(gatherU8, PTR out, PTR chunkTable, PTR cursor, I32 first, I32 rows, I32 elements, I32 chunkSamples,
       I32 recordBytes, I32 fieldOffset, F32 scale, F32 shift) {
  const Batch batch = batch_of(thread, chunkTable, cursor, first, chunkSamples, recordBytes, fieldOffset);
  const v16 factor = v_set(scale), summand = v_set(shift);
  for (i32 r = 0; r < rows; r++) {
    const u8 *bytes = field_of(&batch, r);
    f32 *row = (f32 *)out + r * elements;
    prefetch_field(&batch, r + GATHER_AHEAD, rows, elements);
    BLOCKS(elements, const v16 x = lanes == 16 ? v_from_u8(bytes + at) : v_from_u8_n(bytes + at, lanes);
           part_store(row + at, v_fma(x, factor, summand), lanes););
  }
}

/** out[r, e] = byte, as i32 */
KERNEL(gatherU8AsI32, PTR out, PTR chunkTable, PTR cursor, I32 first, I32 rows, I32 elements, I32 chunkSamples,
       I32 recordBytes, I32 fieldOffset) {
  const Batch batch = batch_of(thread, chunkTable, cursor, first, chunkSamples, recordBytes, fieldOffset);
  for (i32 r = 0; r < rows; r++) {
    const u8 *bytes = field_of(&batch, r);
    i32 *row = (i32 *)out + r * elements;
    for (i32 e = 0; e < elements; e++) row[e] = bytes[e];
  }
}

/** out[r, e] = 32 bits, unchanged: f32 or i32 */
KERNEL(gatherWords, PTR out, PTR chunkTable, PTR cursor, I32 first, I32 rows, I32 elements, I32 chunkSamples,
       I32 recordBytes, I32 fieldOffset) {
  const Batch batch = batch_of(thread, chunkTable, cursor, first, chunkSamples, recordBytes, fieldOffset);
  for (i32 r = 0; r < rows; r++) {
    const u32 *words = (const u32 *)field_of(&batch, r);
    u32 *row = (u32 *)out + r * elements;
    BLOCKS(elements, w_store_n(row + at, w_load_n(words + at, lanes), lanes););
  }
}
