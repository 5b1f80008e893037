/** Random changes of training samples (data augmentation), against overfitting. */
#include "random-stream.h"
#include "lanes.h"
#include "normal.h"

/**
 * y = fma(normal, deviation, x). Element e of 64 belongs to counter e % 16; words 0 and 1 give the first 32 elements. In
 * place allowed.
 */
KERNEL(addNoise, PTR x, PTR y, PTR cursor, I32 first, I32 rows, I32 elements, I32 key0, I32 key1, F32 deviation) {
  const v16 width = v_set(deviation);
  for (i32 r = 0; r < rows; r++) {
    const RandomStream stream = random_stream_of(thread, cursor, first, r, key0, key1);
    const f32 *in = (const f32 *)x + (isize)r * elements;
    f32 *out = (f32 *)y + (isize)r * elements;
    for (i32 from = 0; from < elements; from += 64) {
      const Draws draws = draw(&stream, from / 4);
      const Pair front = normal_pair(draws.word[0], draws.word[1]), back = normal_pair(draws.word[2], draws.word[3]);
      const v16 noise[4] = {front.a, front.b, back.a, back.b};
      const i32 count = elements - from < 64 ? elements - from : 64;
      BLOCKS_LONG(count, const v16 p = block_load(in + from + at, lanes);
                  block_store(out + from + at, v_fma(noise[at >> 4], width, p), lanes););
    }
  }
}

/** A window of an image: its pixel (i, j) is pixel (i * row_step + row, j * col_step + col) of the image. */
typedef struct {
  i32 row, row_step, col, col_step;
} ImageWindow;

/** Value of `fill` for zeros beyond the border; any other value mirrors the image. */
#define FILL_ZERO 0

/** The index in an axis of `size` for index `at`, mirrored at the borders (d c b a | a b c d | d c b a); -1 for a zero. */
INLINE i32 mirrored_index(i32 at, i32 size, i32 fill) {
  if (at >= 0 && at < size) return at;
  if (fill == FILL_ZERO) return -1;
  const i32 period = 2 * size;
  at %= period;
  if (at < 0) at += period;
  return at < size ? at : period - 1 - at;
}

/**
 * Draws the window of a sample: its upper left corner is one of topSpan x leftSpan positions, and it may be flipped. `flips`
 * has bit 0 if flips from left to right are allowed, bit 1 if flips upside down are.
 */
INLINE ImageWindow draw_window(const RandomStream *stream, i32 outHeight, i32 outWidth, i32 top, i32 left, i32 topSpan,
                               i32 leftSpan, i32 flips) {
  u32 rows[16], columns[16], coins[16];
  const Draws draws = draw(stream, 0);
  w_store(rows, draws.word[0]);
  w_store(columns, draws.word[1]);
  w_store(coins, draws.word[2]);
  const i32 row = top + below(rows[0], topSpan), col = left + below(columns[0], leftSpan);
  const i32 flip = (i32)(coins[0] >> 30) & flips;
  return (ImageWindow){flip & 2 ? row + outHeight - 1 : row, flip & 2 ? -1 : 1, flip & 1 ? col + outWidth - 1 : col,
                       flip & 1 ? -1 : 1};
}

/**
 * Random windows of images x [rows, height, width, channels], one for each sample: y [rows, outHeight, outWidth, channels].
 * The upper left corner is one of topSpan x leftSpan positions from (top, left) on. fill 0: zeros beyond the border, 1:
 * mirrored.
 */
KERNEL(windowForward, PTR x, PTR y, PTR cursor, I32 first, I32 rows, I32 height, I32 width, I32 channels, I32 outHeight,
       I32 outWidth, I32 top, I32 left, I32 topSpan, I32 leftSpan, I32 flips, I32 fill, I32 key0, I32 key1) {
  for (i32 r = 0; r < rows; r++) {
    const RandomStream stream = random_stream_of(thread, cursor, first, r, key0, key1);
    const ImageWindow window = draw_window(&stream, outHeight, outWidth, top, left, topSpan, leftSpan, flips);
    const f32 *image = (const f32 *)x + (isize)r * height * width * channels;
    f32 *out = (f32 *)y + (isize)r * outHeight * outWidth * channels;
    for (i32 i = 0; i < outHeight; i++) {
      const i32 row = mirrored_index(window.row + i * window.row_step, height, fill);
      for (i32 j = 0; j < outWidth; j++, out += channels) {
        const i32 col = mirrored_index(window.col + j * window.col_step, width, fill);
        const isize at = ((isize)row * width + col) * channels;
        for (i32 c = 0; c < channels; c++) out[c] = row < 0 || col < 0 ? 0 : image[at + c];
      }
    }
  }
}

/** dx = the sum of dy over the pixels of the window that are copies of this pixel of x, in their order. */
KERNEL(windowBackward, PTR dy, PTR dx, PTR cursor, I32 first, I32 rows, I32 height, I32 width, I32 channels,
       I32 outHeight, I32 outWidth, I32 top, I32 left, I32 topSpan, I32 leftSpan, I32 flips, I32 fill, I32 key0,
       I32 key1) {
  for (i32 r = 0; r < rows; r++) {
    const RandomStream stream = random_stream_of(thread, cursor, first, r, key0, key1);
    const ImageWindow window = draw_window(&stream, outHeight, outWidth, top, left, topSpan, leftSpan, flips);
    const f32 *term = (const f32 *)dy + (isize)r * outHeight * outWidth * channels;
    f32 *image = (f32 *)dx + (isize)r * height * width * channels;
    BLOCKS(height * width * channels, block_store(image + at, v_zero(), lanes););
    for (i32 i = 0; i < outHeight; i++) {
      const i32 row = mirrored_index(window.row + i * window.row_step, height, fill);
      for (i32 j = 0; j < outWidth; j++, term += channels) {
        const i32 col = mirrored_index(window.col + j * window.col_step, width, fill);
        if (row < 0 || col < 0) continue;
        f32 *pixel = image + ((isize)row * width + col) * channels;
        for (i32 c = 0; c < channels; c++) pixel[c] += term[c];
      }
    }
  }
}

/** Largest number of bands on each axis: a draw of sixteen counters has sixteen words for each purpose. */
#define BANDS_MAX 16

/** Sets `masked` to 1 in `masks` bands of an axis: one word gives the width of a band, up to `most`, another its start. */
INLINE void draw_bands(const u32 *widths, const u32 *starts, i32 masks, i32 most, i32 size, u8 *masked) {
  for (i32 k = 0; k < masks; k++) {
    const i32 width = below(widths[k], most + 1), from = below(starts[k], size - width + 1);
    for (i32 i = from; i < from + width; i++) masked[i] = 1;
  }
}

/**
 * The masks of SpecAugment (Park et al. 2019): bands of times and of frequencies are set to 0 in x [rows, times,
 * frequencies, channels]; a band is 0 to timeWidth (frequencyWidth) wide and starts anywhere. The backward pass is the same
 * function of the error terms. In place allowed.
 */
KERNEL(maskBands, PTR x, PTR y, PTR cursor, I32 first, I32 rows, I32 times, I32 frequencies, I32 channels,
       I32 timeMasks, I32 timeWidth, I32 frequencyMasks, I32 frequencyWidth, I32 key0, I32 key1) {
  u8 *masked_times = thread->workspace, *masked_frequencies = masked_times + times;
  for (i32 r = 0; r < rows; r++) {
    const RandomStream stream = random_stream_of(thread, cursor, first, r, key0, key1);
    const Draws draws = draw(&stream, 0);
    u32 word[4][BANDS_MAX];
    for (i32 j = 0; j < 4; j++) w_store(word[j], draws.word[j]);
    for (i32 i = 0; i < times + frequencies; i++) masked_times[i] = 0;
    draw_bands(word[0], word[1], timeMasks, timeWidth, times, masked_times);
    draw_bands(word[2], word[3], frequencyMasks, frequencyWidth, frequencies, masked_frequencies);
    for (i32 t = 0; t < times; t++)
      for (i32 f = 0; f < frequencies; f++) {
        const isize at = (((isize)r * times + t) * frequencies + f) * channels;
        const i32 is_masked = masked_times[t] | masked_frequencies[f];
        for (i32 c = 0; c < channels; c++) ((f32 *)y)[at + c] = is_masked ? 0 : ((const f32 *)x)[at + c];
      }
  }
}
