/**
 * Inverted dropout (Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", 2014): elements
 * that are kept are scaled up in training, so evaluation needs no scaling.
 *
 * Sixteen random bits decide each element. Element e of 128 belongs to counter e % 16, word e / 32, and there to the lower
 * half when e / 16 is even, else to the upper one.
 */
#include "random-stream.h"
#include "lanes.h"

/** Words of the mask of a row: bit e % 32 of word e / 32 is 1 if element e is kept. */
#define MASK_WORDS(elements) (((elements) + 31) / 32)

static void draw_mask(const RandomStream *stream, u32 *mask, i32 elements, i32 dropped) {
  const w16 limit = w_set(dropped), low = w_set(0xffff);
  const i32 words = MASK_WORDS(elements);
  for (i32 at = 0; at < words; at += 4) {
    const Draws draws = draw(stream, at * 4);
    const i32 count = words - at < 4 ? words - at : 4;
    for (i32 j = 0; j < count; j++) {
      const m16 first = w_gt(limit, w_and(draws.word[j], low)), second = w_gt(limit, w_shr(draws.word[j], 16));
      mask[at + j] = ~(m_bits(first) | m_bits(second) << 16);
    }
  }
}

INLINE void apply_mask(const u32 *mask, const f32 *x, f32 *y, i32 elements, v16 scale) {
  BLOCKS(elements, const m16 kept = m_of_bits(mask[at >> 5] >> (at & 16) & 0xffff);
         block_store(y + at, v_select(kept, v_mul(block_load(x + at, lanes), scale), v_zero()), lanes););
}

/**
 * y = kept ? x * scale : 0. An element is dropped when its sixteen bits are below `dropped`. A row is `repeats` runs of
 * `elements` elements, all with the same mask. In place allowed.
 */
KERNEL(dropoutForward, PTR x, PTR y, PTR mask, PTR cursor, I32 first, I32 rows, I32 repeats, I32 elements, I32 key0,
       I32 key1, I32 dropped, F32 scale) {
  const v16 factor = v_set(scale);
  for (i32 r = 0; r < rows; r++) {
    const RandomStream stream = random_stream_of(thread, cursor, first, r, key0, key1);
    u32 *kept = (u32 *)mask + (isize)r * MASK_WORDS(elements);
    draw_mask(&stream, kept, elements, dropped);
    for (i32 k = 0; k < repeats; k++) {
      const isize at = ((isize)r * repeats + k) * elements;
      apply_mask(kept, (const f32 *)x + at, (f32 *)y + at, elements, factor);
    }
  }
}

/** dx = kept ? dy * scale : 0. In place allowed. */
KERNEL(dropoutBackward, PTR mask, PTR dy, PTR dx, I32 rows, I32 repeats, I32 elements, F32 scale) {
  const v16 factor = v_set(scale);
  for (i32 r = 0; r < rows; r++) {
    const u32 *kept = (const u32 *)mask + (isize)r * MASK_WORDS(elements);
    for (i32 k = 0; k < repeats; k++) {
      const isize at = ((isize)r * repeats + k) * elements;
      apply_mask(kept, (const f32 *)dy + at, (f32 *)dx + at, elements, factor);
    }
  }
}
