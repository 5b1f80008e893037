/**
 * Pooling of images [rows, height, width, channels], channel by channel. Result (oy, ox) covers the pixels
 * oy*strideY - padTop + ky, ox*strideX - padLeft + kx of its window that lie inside of the image, in ascending order;
 * those outside are skipped, and do not count in an average. Lanes are channels.
 */
#include "lanes.h"
#include "windows.h"

/** An image and its results. */
typedef struct {
  i32 width, channels;
  Axis y, x;
} Pool;

#define POOL_AXES                                               \
  {width, channels, axis_forward(outHeight, height, poolHeight, strideY, padTop, 1), \
   axis_forward(outWidth, width, poolWidth, strideX, padLeft, 1)}

/** The part of the image that one result covers: its first pixel, and its size. */
typedef struct {
  isize pixel;
  i32 tall, wide;
} Window;

INLINE Window pool_window(const Pool *p, const Span *ys, i32 oy, i32 ox) {
  const Span xs = axis_taps(&p->x, ox);
  i32 iy = p->y.first + oy * p->y.stride + ys->tap, ix = p->x.first + ox * p->x.stride + xs.tap;
  const Window window = {(isize)iy * p->width + ix, ys->tap_end - ys->tap, xs.tap_end - xs.tap};
  return window;
}

/** Runs the statements for each result of each sample: `window`, and the offsets `in` and `out` of its first channel. */
#define EACH_WINDOW(p, rows, ...)                                                                       \
  for (i32 r = 0; r < (rows); r++)                                                                      \
    for (i32 oy = 0; oy < (p)->y.count; oy++) {                                                         \
      const Span ys = axis_taps(&(p)->y, oy);                                                           \
      for (i32 ox = 0; ox < (p)->x.count; ox++) {                                                       \
        const Window window = pool_window((p), &ys, oy, ox);                                            \
        isize in = ((isize)r * (p)->y.size * (p)->width + window.pixel) * (p)->channels;                \
        isize out = (((isize)r * (p)->y.count + oy) * (p)->x.count + ox) * (p)->channels;               \
        __VA_ARGS__                                                                                     \
      }                                                                                                 \
    }

/** Runs the statements for each pixel of the window: `pixel` is its offset for the current channel. */
#define EACH_PIXEL(p, window, in, ...)                                                     \
  for (i32 ky = 0; ky < (window).tall; ky++)                                               \
    for (i32 kx = 0; kx < (window).wide; kx++) {                                           \
      isize pixel = (in) + ((isize)ky * (p)->width + kx) * (p)->channels;                  \
      __VA_ARGS__                                                                          \
    }

/** y = the largest element of the window, the first of equal ones; NaN when one of them is NaN. */
KERNEL(maxPoolForward, PTR x, PTR y, I32 rows, I32 height, I32 width, I32 channels, I32 outHeight, I32 outWidth,
       I32 poolHeight, I32 poolWidth, I32 strideY, I32 strideX, I32 padTop, I32 padLeft) {
  const Pool pool = POOL_AXES;
  const f32 *from = x;
  f32 *to = y;
  EACH_WINDOW(&pool, rows, BLOCKS(channels, {
    v16 top = part_load(from + in + at, lanes);
    EACH_PIXEL(&pool, window, in + at, {
      const v16 next = part_load(from + pixel, lanes);
      // Greater, or NaN: v_max keeps its second operand, here the earlier one, unless the first is greater.
      top = v_select(v_eq(next, next), v_max(next, top), next);
    })
    part_store(to + out + at, top, lanes);
  }););
}

/** Whether every pixel of the image lies in exactly one window: each is then written once, and none must be cleared. */
INLINE i32 is_partition(const Pool *p, i32 pool_height, i32 pool_width) {
  const Axis *y = &p->y, *x = &p->x;
  return y->first == 0 && x->first == 0 && y->stride == pool_height && x->stride == pool_width &&
         y->count * pool_height == y->size && x->count * pool_width == x->size;
}

/**
 * dx = the sum of dy, ascending from +0, over the windows in which x is the first element that equals y. A NaN equals
 * nothing. With activation 1, x is the result of a relu and dx the error term of the input of that relu: 0 where x is not
 * above 0.
 */
KERNEL(maxPoolBackward, PTR x, PTR y, PTR dy, PTR dx, I32 rows, I32 height, I32 width, I32 channels, I32 outHeight,
       I32 outWidth, I32 poolHeight, I32 poolWidth, I32 strideY, I32 strideX, I32 padTop, I32 padLeft, I32 activation) {
  const Pool pool = POOL_AXES;
  const f32 *from = x, *top = y, *term = dy;
  f32 *to = dx;
  const v16 zero = v_zero();
  i32 is_disjoint = is_partition(&pool, poolHeight, poolWidth);
  if (!is_disjoint) BLOCKS(rows * height * width * channels, part_store(to + at, zero, lanes););
  EACH_WINDOW(&pool, rows, BLOCKS(channels, {
    const v16 chosen = part_load(top + out + at, lanes);
    const v16 given = part_load(term + out + at, lanes);
    m16 open = activation ? v_gt(chosen, zero) : m_first(16);
    EACH_PIXEL(&pool, window, in + at, {
      const m16 found = m_and(open, v_eq(part_load(from + pixel, lanes), chosen));
      const v16 before = is_disjoint ? zero : part_load(to + pixel, lanes);
      part_store(to + pixel, v_select(found, v_add(before, given), before), lanes);
      open = m_and(open, m_not(found));
    })
  }););
}

/** y = (the sum of the window, ascending from +0) / its number of pixels. */
KERNEL(averagePoolForward, PTR x, PTR y, I32 rows, I32 height, I32 width, I32 channels, I32 outHeight, I32 outWidth,
       I32 poolHeight, I32 poolWidth, I32 strideY, I32 strideX, I32 padTop, I32 padLeft) {
  const Pool pool = POOL_AXES;
  const f32 *from = x;
  f32 *to = y;
  EACH_WINDOW(&pool, rows, const v16 pixels = v_set((f32)(window.tall * window.wide)); BLOCKS(channels, {
    v16 sum = v_zero();
    EACH_PIXEL(&pool, window, in + at, sum = v_add(sum, part_load(from + pixel, lanes));)
    part_store(to + out + at, v_div(sum, pixels), lanes);
  }););
}

/** dx = the sum over the windows, ascending from +0, of dy / their number of pixels. */
KERNEL(averagePoolBackward, PTR dy, PTR dx, I32 rows, I32 height, I32 width, I32 channels, I32 outHeight, I32 outWidth,
       I32 poolHeight, I32 poolWidth, I32 strideY, I32 strideX, I32 padTop, I32 padLeft) {
  const Pool pool = POOL_AXES;
  const f32 *term = dy;
  f32 *to = dx;
  const v16 zero = v_zero();
  BLOCKS(rows * height * width * channels, part_store(to + at, zero, lanes););
  EACH_WINDOW(&pool, rows, const v16 pixels = v_set((f32)(window.tall * window.wide)); BLOCKS(channels, {
    const v16 share = v_div(part_load(term + out + at, lanes), pixels);
    EACH_PIXEL(&pool, window, in + at, part_store(to + pixel, v_add(part_load(to + pixel, lanes), share), lanes);)
  }););
}
