/**
 * Convolutions and their input gradients. Images are channels-last, [rows, height, width, channels]; kernels are
 * [kernel height, kernel width, inputs / groups, outputs].
 *
 *   y[r, oy, ox, o] = sum over (ky, kx, i) of x[r, oy*strideY - padTop + ky*dilationY, ox*strideX - padLeft +
 *                     kx*dilationX, i] w[ky, kx, i, o]
 *
 * Every element of a result is ONE chain of fused multiply-adds from +0, over (tap row, tap column, channel); then the
 * bias, then the activation. The taps of a convolution ascend; those of an input gradient ascend by the position of the
 * error term that they read. Taps outside of the image are skipped, see windows.h. Inside of a rectangle of results with
 * the same taps the product is dense; no padded copy of the image, and no copy of its patches, is made.
 */
#include "convolution-tile.h"
#include "depthwise.h"
#include "windows.h"

/** Largest block of (tap, channel): its panel of TILE_COLS columns stays in the L1 cache. */
#define WALK_INNER 288
/** Bytes of samples, inputs and results together, that are multiplied by all panels before the next samples are. */
#define WALK_BYTES (768 * 1024)
_Static_assert(WALK_INNER * TILE_COLS * 4 <= WORKSPACE_BYTES, "a panel fits the workspace");

/** A convolution: a walk over its results. */
typedef struct {
  const f32 *in, *weights, *bias;
  f32 *out;
  i32 rows, in_channels, out_channels, out_width, groups, activation;
  isize in_sample, out_sample;
  Axis y, x;
  /** Width of the kernel, and whether it maps its outputs to its inputs. */
  i32 kernel_width, transposed;
} Walk;

/** A block of the inner index: of the taps in walking order, and of a group's channels. */
typedef struct {
  i32 tap_y, tap_y_end, tap_x, tap_x_end, channel, channel_end;
  i32 is_first, is_last;
} WalkBlock;

/** One block of the inner index for `cols` columns from `col` of a group, in samples first..first+samples-1. */
static void walk_panel(const Walk *w, const WalkBlock *block, i32 group, i32 col, i32 cols, i32 first, i32 samples,
                       const f32 *panel) {
  i32 depth = block->channel_end - block->channel, in_group = w->in_channels / w->groups;
  i32 out_channel = group * (w->out_channels / w->groups) + col;
  isize in_row = (isize)w->x.size * w->in_channels, out_row = (isize)w->out_width * w->out_channels;
  // The channels of neighbouring taps are contiguous, in the image and in the panel.
  i32 is_joined = w->x.dilation == 1 && depth == w->in_channels;
  Span ys, xs;
  for (i32 y = 0; y < w->y.count; y = ys.to) {
    ys = axis_span(&w->y, y);
    i32 tap_y = larger(ys.tap, block->tap_y), tall = smaller(ys.tap_end, block->tap_y_end) - tap_y;
    for (i32 x = 0; x < w->x.count; x = xs.to) {
      xs = axis_span(&w->x, x);
      i32 tap_x = larger(xs.tap, block->tap_x), wide = smaller(xs.tap_end, block->tap_x_end) - tap_x;
      isize in_y = w->y.first + (isize)y * w->y.stride + (isize)tap_y * w->y.dilation;
      isize in_x = w->x.first + (isize)x * w->x.stride + (isize)tap_x * w->x.dilation;
      isize panel_down = (isize)(block->tap_x_end - block->tap_x) * depth * TILE_COLS;
      const Patch patch = {
          w->in + first * w->in_sample + in_y * in_row + in_x * w->in_channels + group * in_group + block->channel,
          0,
          w->y.dilation * in_row,
          (isize)w->x.dilation * w->in_channels,
          panel + (tap_y - block->tap_y) * panel_down + (isize)(tap_x - block->tap_x) * depth * TILE_COLS,
          panel_down,
          (isize)depth * TILE_COLS,
          wide > 0 ? tall : 0,
          is_joined ? 1 : wide,
          is_joined ? wide * depth : depth};
      const Sink sink = {w->out + first * w->out_sample + (w->y.out + (isize)y * w->y.out_step) * out_row +
                             (w->x.out + (isize)x * w->x.out_step) * w->out_channels + out_channel,
                         0,
                         cols,
                         block->is_last && w->bias ? w->bias + out_channel : 0,
                         block->is_last && w->activation,
                         !block->is_first};
      const Direction directions[3] = {
          {xs.to - x, (isize)w->x.stride * w->in_channels, (isize)w->x.out_step * w->out_channels},
          {ys.to - y, w->y.stride * in_row, w->y.out_step * out_row},
          {samples, w->in_sample, w->out_sample}};
      walk_spans(patch, sink, directions);
    }
  }
}

/** Copies a block's factors for `cols` columns from `col` of a group: [tap row, tap column, channel][TILE_COLS]. */
static void pack_taps(const Walk *w, const WalkBlock *block, i32 group, i32 col, i32 cols, f32 *to) {
  i32 depth = block->channel_end - block->channel;
  i32 in_group = w->in_channels / w->groups, out_group = w->out_channels / w->groups;
  for (i32 y = block->tap_y; y < block->tap_y_end; y++)
    for (i32 x = block->tap_x; x < block->tap_x_end; x++, to += (isize)depth * TILE_COLS) {
      isize tap = (isize)(w->y.tap + y * w->y.tap_step) * w->kernel_width + w->x.tap + x * w->x.tap_step;
      if (w->transposed)
        pack_transposed(to, TILE_COLS,
                        w->weights + (tap * out_group + col) * w->in_channels + group * in_group + block->channel,
                        w->in_channels, cols, depth);
      else
        pack_rows(to, w->weights + (tap * in_group + block->channel) * w->out_channels + group * out_group + col,
                  w->out_channels, cols, depth);
    }
}

/** The block of the inner index that starts with this tap and channel. */
static WalkBlock walk_block(const Walk *w, i32 tap_y, i32 tap_x, i32 channel) {
  i32 depth = w->in_channels / w->groups;
  // As many whole tap rows as fit, or as many taps of one row, or as many channels of one tap.
  i32 tall = larger(1, WALK_INNER / larger(1, w->x.taps * depth));
  i32 wide = tall > 1 ? w->x.taps : larger(1, WALK_INNER / depth);
  WalkBlock block = {tap_y, smaller(w->y.taps, tap_y + tall), tap_x,   smaller(w->x.taps, tap_x + wide),
                     channel, smaller(depth, channel + WALK_INNER), 0, 0};
  block.is_first = tap_y == 0 && tap_x == 0 && channel == 0;
  block.is_last =
      block.tap_y_end == w->y.taps && block.tap_x_end == w->x.taps && block.channel_end == depth;
  return block;
}

/** All results of a walk. */
static void walk(const Walk *w, const Thread *thread) {
  if (is_depthwise(w->in_channels, w->out_channels, w->groups)) {
    const Depthwise channels = {w->in, w->weights, w->bias, w->out, w->rows, w->in_channels, w->out_width,
                                w->kernel_width, w->activation, w->in_sample, w->out_sample, &w->y, &w->x};
    depthwise(&channels);
    return;
  }
  f32 *panel = (f32 *)thread->workspace;
  i32 out_group = w->out_channels / w->groups;
  isize sample_bytes = 4 * (w->in_sample + w->out_sample);
  i32 batch = sample_bytes >= WALK_BYTES ? 1 : (i32)(WALK_BYTES / sample_bytes);
  for (i32 first = 0; first < w->rows; first += batch) {
    i32 samples = smaller(batch, w->rows - first);
    for (i32 group = 0; group < w->groups; group++)
      for (i32 col = 0; col < out_group; col += TILE_COLS) {
        i32 cols = smaller(TILE_COLS, out_group - col);
        for (WalkBlock block = walk_block(w, 0, 0, 0);;) {
          pack_taps(w, &block, group, col, cols, panel);
          walk_panel(w, &block, group, col, cols, first, samples, panel);
          if (block.is_last) break;
          i32 depth_done = block.channel_end == w->in_channels / w->groups;
          i32 row_done = depth_done && block.tap_x_end == w->x.taps;
          block = walk_block(w, row_done ? block.tap_y_end : block.tap_y,
                             row_done ? 0 : depth_done ? block.tap_x_end : block.tap_x,
                             depth_done ? 0 : block.channel_end);
        }
      }
  }
}

/** y of the formula above, + bias (0: none); activation 0 none, 1 relu. x [rows, height, width, inputs], y [.., outputs]. */
KERNEL(convolution, PTR x, PTR w, PTR bias, PTR y, I32 rows, I32 height, I32 width, I32 inputs, I32 outHeight,
       I32 outWidth, I32 outputs, I32 kernelHeight, I32 kernelWidth, I32 strideY, I32 strideX, I32 padTop, I32 padLeft,
       I32 dilationY, I32 dilationX, I32 groups, I32 activation) {
  const Walk all = {x, w, bias, y, rows, inputs, outputs, outWidth, groups, activation,
                    (isize)height * width * inputs, (isize)outHeight * outWidth * outputs,
                    axis_forward(outHeight, height, kernelHeight, strideY, padTop, dilationY),
                    axis_forward(outWidth, width, kernelWidth, strideX, padLeft, dilationX), kernelWidth, 0};
  walk(&all, thread);
}

INLINE i32 common_divisor(i32 a, i32 b) {
  while (b) {
    i32 rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/**
 * The axis of those positions of the image that are `phase` modulo the stride, seen as results of a convolution over the
 * error term: each of them reads the same taps, from the last to the first, so that positions of the error term ascend.
 * `results` and `positions` are those of the forward direction.
 */
static Axis axis_backward(i32 results, i32 positions, i32 taps, i32 stride, i32 pad, i32 dilation, i32 phase) {
  Axis axis = {positions > phase ? (positions - phase + stride - 1) / stride : 0, phase, stride, 0, 1, 0, 1, results, 0, 0};
  // Tap k of the kernel is read when phase + pad - k * dilation is a multiple of the stride: one tap in `every`.
  i32 every = stride / common_divisor(stride, dilation);
  for (i32 k = taps - 1; k >= 0; k--) {
    i32 position = phase + pad - k * dilation;
    if (position % stride != 0) continue;
    if (axis.taps == 0) {
      axis.tap = k;
      axis.first = position / stride;
    }
    axis.taps++;
  }
  axis.tap_step = -every;
  axis.dilation = every * dilation / stride;
  return axis;
}

/**
 * x[r, iy, ix, i] = sum over (oy, ox, o), ascending, of y[r, oy, ox, o] w[ky, kx, i, o] where tap (ky, kx) of result
 * (oy, ox) reads (iy, ix); + bias (0: none); activation 0 none, 1 relu. The input gradient of `convolution`, and, with
 * a bias, the transposed convolution.
 */
KERNEL(convolutionTransposed, PTR y, PTR w, PTR bias, PTR x, I32 rows, I32 height, I32 width, I32 inputs, I32 outHeight,
       I32 outWidth, I32 outputs, I32 kernelHeight, I32 kernelWidth, I32 strideY, I32 strideX, I32 padTop, I32 padLeft,
       I32 dilationY, I32 dilationX, I32 groups, I32 activation) {
  // Positions of one phase modulo the stride read the same taps: each phase is its own convolution.
  for (i32 phaseY = 0; phaseY < strideY; phaseY++)
    for (i32 phaseX = 0; phaseX < strideX; phaseX++) {
      const Walk phase = {y, w, bias, x, rows, outputs, inputs, width, groups, activation,
                          (isize)outHeight * outWidth * outputs, (isize)height * width * inputs,
                          axis_backward(outHeight, height, kernelHeight, strideY, padTop, dilationY, phaseY),
                          axis_backward(outWidth, width, kernelWidth, strideX, padLeft, dilationX, phaseX),
                          kernelWidth, 1};
      walk(&phase, thread);
    }
}
