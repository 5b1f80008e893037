/** Samples altered at random while training, so that a network does not learn them by heart. */
#include "chance.h"
#include "lanes.h"
#include "normal.h"

/** y = fma(normal, deviation, x). Element e of 64 belongs to counter e % 16; words 0 and 1 give its first 32. In place allowed. */
KERNEL(addNoise, PTR x, PTR y, PTR cursor, I32 first, I32 rows, I32 elements, I32 key0, I32 key1, F32 deviation) {
  const v16 width = v_set(deviation);
  for (i32 r = 0; r < rows; r++) {
    const Chance chance = chance_of(thread, cursor, first, r, key0, key1);
    const f32 *in = (const f32 *)x + (isize)r * elements;
    f32 *out = (f32 *)y + (isize)r * elements;
    for (i32 from = 0; from < elements; from += 64) {
      const Draws draws = draw(&chance, from / 4);
      const Pair front = normal_pair(draws.word[0], draws.word[1]), back = normal_pair(draws.word[2], draws.word[3]);
      const v16 noise[4] = {front.a, front.b, back.a, back.b};
      const i32 count = elements - from < 64 ? elements - from : 64;
      BLOCKS_LONG(count, const v16 p = block_load(in + from + at, lanes);
                  block_store(out + from + at, v_fma(noise[at >> 4], width, p), lanes););
    }
  }
}

/** What a window shows: pixel (i, j) is the image's pixel (i * row_step + row, j * col_step + col). */
typedef struct {
  i32 row, row_step, col, col_step;
} Shown;

/** Ways to go on beyond the border. */
#define FILL_ZERO 0

/** The place on an axis of `size` that stands for `at`: mirrored at the borders, (d c b a | a b c d | d c b a); -1 for none. */
INLINE i32 place_on(i32 at, i32 size, i32 fill) {
  if (at >= 0 && at < size) return at;
  if (fill == FILL_ZERO) return -1;
  const i32 period = 2 * size;
  at %= period;
  if (at < 0) at += period;
  return at < size ? at : period - 1 - at;
}

/** Draws a sample's window: its upper left corner among `spans` places, flipped (1: left to right, 2: upside down) or not. */
INLINE Shown draw_window(const Chance *chance, i32 outHeight, i32 outWidth, i32 top, i32 left, i32 topSpan,
                          i32 leftSpan, i32 flips) {
  u32 word[16], coins[16], columns[16];
  const Draws draws = draw(chance, 0);
  w_store(word, draws.word[0]);
  w_store(columns, draws.word[1]);
  w_store(coins, draws.word[2]);
  const i32 row = top + below(word[0], topSpan), col = left + below(columns[0], leftSpan);
  const i32 coin = (i32)(coins[0] >> 30) & flips;
  return (Shown){coin & 2 ? row + outHeight - 1 : row, coin & 2 ? -1 : 1, coin & 1 ? col + outWidth - 1 : col,
                  coin & 1 ? -1 : 1};
}

/**
 * Windows of images x [rows, height, width, channels], drawn for each sample: y [rows, outHeight, outWidth, channels].
 * The upper left corner lies `topSpan` x `leftSpan` places from (top, left) on; fill 0: zeros beyond the border, 1: mirrored.
 */
KERNEL(windowForward, PTR x, PTR y, PTR cursor, I32 first, I32 rows, I32 height, I32 width, I32 channels, I32 outHeight,
       I32 outWidth, I32 top, I32 left, I32 topSpan, I32 leftSpan, I32 flips, I32 fill, I32 key0, I32 key1) {
  for (i32 r = 0; r < rows; r++) {
    const Chance chance = chance_of(thread, cursor, first, r, key0, key1);
    const Shown window = draw_window(&chance, outHeight, outWidth, top, left, topSpan, leftSpan, flips);
    const f32 *image = (const f32 *)x + (isize)r * height * width * channels;
    f32 *out = (f32 *)y + (isize)r * outHeight * outWidth * channels;
    for (i32 i = 0; i < outHeight; i++) {
      const i32 row = place_on(window.row + i * window.row_step, height, fill);
      for (i32 j = 0; j < outWidth; j++, out += channels) {
        const i32 col = place_on(window.col + j * window.col_step, width, fill);
        const isize at = ((isize)row * width + col) * channels;
        for (i32 c = 0; c < channels; c++) out[c] = row < 0 || col < 0 ? 0 : image[at + c];
      }
    }
  }
}

/** dx = the sum of dy over the window's pixels that show it, in their order. */
KERNEL(windowBackward, PTR dy, PTR dx, PTR cursor, I32 first, I32 rows, I32 height, I32 width, I32 channels,
       I32 outHeight, I32 outWidth, I32 top, I32 left, I32 topSpan, I32 leftSpan, I32 flips, I32 fill, I32 key0,
       I32 key1) {
  for (i32 r = 0; r < rows; r++) {
    const Chance chance = chance_of(thread, cursor, first, r, key0, key1);
    const Shown window = draw_window(&chance, outHeight, outWidth, top, left, topSpan, leftSpan, flips);
    const f32 *term = (const f32 *)dy + (isize)r * outHeight * outWidth * channels;
    f32 *image = (f32 *)dx + (isize)r * height * width * channels;
    BLOCKS(height * width * channels, block_store(image + at, v_zero(), lanes););
    for (i32 i = 0; i < outHeight; i++) {
      const i32 row = place_on(window.row + i * window.row_step, height, fill);
      for (i32 j = 0; j < outWidth; j++, term += channels) {
        const i32 col = place_on(window.col + j * window.col_step, width, fill);
        if (row < 0 || col < 0) continue;
        f32 *pixel = image + ((isize)row * width + col) * channels;
        for (i32 c = 0; c < channels; c++) pixel[c] += term[c];
      }
    }
  }
}

/** Most bands on each axis: so many words come from the sixteen counters of a draw. */
#define BANDS_MAX 16

/** Sets `masks` bands of an axis to 0 in `open`: word 0 decides a band's width, up to `most`, word 1 where it begins. */
INLINE void draw_bands(const u32 *widths, const u32 *starts, i32 masks, i32 most, i32 size, u8 *closed) {
  for (i32 k = 0; k < masks; k++) {
    const i32 width = below(widths[k], most + 1), from = below(starts[k], size - width + 1);
    for (i32 i = from; i < from + width; i++) closed[i] = 1;
  }
}

/**
 * SpecAugment's masks (Park et al. 2019): bands of times and of frequencies are set to 0 in x [rows, times, frequencies,
 * channels]; each is 0 to ...Width wide and lies anywhere. The backward pass is the same with error terms. In place allowed.
 */
KERNEL(maskBands, PTR x, PTR y, PTR cursor, I32 first, I32 rows, I32 times, I32 frequencies, I32 channels,
       I32 timeMasks, I32 timeWidth, I32 frequencyMasks, I32 frequencyWidth, I32 key0, I32 key1) {
  u8 *closed_times = thread->workspace, *closed = closed_times + times;
  for (i32 r = 0; r < rows; r++) {
    const Chance chance = chance_of(thread, cursor, first, r, key0, key1);
    const Draws draws = draw(&chance, 0);
    u32 word[4][BANDS_MAX];
    for (i32 j = 0; j < 4; j++) w_store(word[j], draws.word[j]);
    for (i32 i = 0; i < times + frequencies; i++) closed_times[i] = 0;
    draw_bands(word[0], word[1], timeMasks, timeWidth, times, closed_times);
    draw_bands(word[2], word[3], frequencyMasks, frequencyWidth, frequencies, closed);
    for (i32 t = 0; t < times; t++)
      for (i32 f = 0; f < frequencies; f++) {
        const isize at = (((isize)r * times + t) * frequencies + f) * channels;
        const i32 is_closed = closed_times[t] | closed[f];
        for (i32 c = 0; c < channels; c++) ((f32 *)y)[at + c] = is_closed ? 0 : ((const f32 *)x)[at + c];
      }
  }
}
