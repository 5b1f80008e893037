/**
 * Depthwise convolutions (as many groups as channels, one filter each). They are not matrix products, so lanes are sixteen
 * channels in place of the columns of a tile. The chains are those of convolution.c, so the bits are the same.
 */
#pragma once
#include "lanes.h"
#include "windows.h"

/** Neighbouring results that are computed together, so that a factor is read once for all of them. */
#define DEPTHWISE_RESULTS 4
/** Neighbouring taps whose sums are computed together. */
#define DEPTHWISE_TAPS 4

INLINE i32 is_depthwise(i32 inputs, i32 outputs, i32 groups) { return groups > 1 && groups == inputs && groups == outputs; }

/** Neighbouring results of one span, and the positions of their factors. */
typedef struct {
  const f32 *in, *weights, *bias;
  f32 *out;
  isize in_step, in_down, in_right, out_step, weights_down, weights_right;
  i32 tall, wide, activation;
} DepthwiseRun;

INLINE void depthwise_results(const i32 results, i32 lanes, const DepthwiseRun *d, i32 c) {
  v16 acc[DEPTHWISE_RESULTS];
  UNROLL for (i32 k = 0; k < results; k++) acc[k] = v_zero();
  for (i32 y = 0; y < d->tall; y++)
    for (i32 x = 0; x < d->wide; x++) {
      const v16 factor = block_load(d->weights + y * d->weights_down + x * d->weights_right + c, lanes);
      const f32 *in = d->in + y * d->in_down + x * d->in_right + c;
      UNROLL for (i32 k = 0; k < results; k++) acc[k] = v_fma(block_load(in + k * d->in_step, lanes), factor, acc[k]);
    }
  UNROLL for (i32 k = 0; k < results; k++) {
    v16 sum = acc[k];
    if (d->bias) sum = v_add(sum, block_load(d->bias + c, lanes));
    if (d->activation) sum = v_relu(sum);
    block_store(d->out + k * d->out_step + c, sum, lanes);
  }
}

/** `results` neighbouring results in all channels. */
INLINE void depthwise_channels(const i32 results, const DepthwiseRun *d, i32 channels) {
  i32 c = 0;
  for (; channels - c >= 16; c += 16) depthwise_results(results, 16, d, c);
  if (c < channels) depthwise_results(results, channels - c, d, c);
}

/** A whole convolution: the two axes of its results, and the layout of samples and weights. */
typedef struct {
  const f32 *in, *weights, *bias;
  f32 *out;
  i32 rows, channels, out_width, kernel_width, activation;
  isize in_sample, out_sample;
  const Axis *y, *x;
} Depthwise;

static void depthwise(const Depthwise *w) {
  const i32 channels = w->channels;
  const Axis *ay = w->y, *ax = w->x;
  for (i32 sample = 0; sample < w->rows; sample++)
    for (i32 y = 0; y < ay->count; y++) {
      const Span ys = axis_taps(ay, y);
      Span xs;
      for (i32 x = 0; x < ax->count; x = xs.to) {
        xs = axis_span(ax, x);
        const isize in_y = ay->first + (isize)y * ay->stride + (isize)ys.tap * ay->dilation;
        const isize in_x = ax->first + (isize)x * ax->stride + (isize)xs.tap * ax->dilation;
        const isize tap = (isize)(ay->tap + ys.tap * ay->tap_step) * w->kernel_width + ax->tap + xs.tap * ax->tap_step;
        const isize out = (ay->out + (isize)y * ay->out_step) * w->out_width + ax->out + (isize)x * ax->out_step;
        DepthwiseRun d = {w->in + sample * w->in_sample + (in_y * ax->size + in_x) * channels,
                          w->weights + tap * channels,
                          w->bias,
                          w->out + sample * w->out_sample + out * channels,
                          (isize)ax->stride * channels,
                          (isize)ay->dilation * ax->size * channels,
                          (isize)ax->dilation * channels,
                          (isize)ax->out_step * channels,
                          (isize)ay->tap_step * w->kernel_width * channels,
                          (isize)ax->tap_step * channels,
                          ys.tap_end - ys.tap,
                          xs.tap_end - xs.tap,
                          w->activation};
        i32 k = x;
        for (; xs.to - k >= DEPTHWISE_RESULTS; k += DEPTHWISE_RESULTS) {
          depthwise_channels(DEPTHWISE_RESULTS, &d, channels);
          d.in += DEPTHWISE_RESULTS * d.in_step;
          d.out += DEPTHWISE_RESULTS * d.out_step;
        }
        for (; k < xs.to; k++) {
          depthwise_channels(1, &d, channels);
          d.in += d.in_step;
          d.out += d.out_step;
        }
      }
    }
}

/** Some channels of a weight gradient: the sums of all taps for one leaf, and the results that are added to them. */
typedef struct {
  const f32 *x, *dy;
  isize x_step, x_right, dy_step;
  i32 count, lanes;
  f32 *sums;
} DepthwiseSums;

/** Adds a run of results to the sums of `taps` neighbouring taps. */
INLINE void depthwise_taps(const i32 taps, i32 lanes, const DepthwiseSums *s, i32 first) {
  v16 acc[DEPTHWISE_TAPS];
  f32 *sums = s->sums + first * 16;
  const f32 *x = s->x + first * s->x_right, *dy = s->dy;
  UNROLL for (i32 j = 0; j < taps; j++) acc[j] = v_load(sums + j * 16);
  for (i32 k = 0; k < s->count; k++, x += s->x_step, dy += s->dy_step) {
    const v16 slope = block_load(dy, lanes);
    UNROLL for (i32 j = 0; j < taps; j++) acc[j] = v_fma(block_load(x + j * s->x_right, lanes), slope, acc[j]);
  }
  UNROLL for (i32 j = 0; j < taps; j++) v_store(sums + j * 16, acc[j]);
}

INLINE void depthwise_run(i32 lanes, const DepthwiseSums *s, i32 wide) {
  i32 first = 0;
  for (; wide - first >= DEPTHWISE_TAPS; first += DEPTHWISE_TAPS) depthwise_taps(DEPTHWISE_TAPS, lanes, s, first);
  switch (wide - first) {
    case 3: depthwise_taps(3, lanes, s, first); break;
    case 2: depthwise_taps(2, lanes, s, first); break;
    case 1: depthwise_taps(1, lanes, s, first); break;
  }
}

/** A depthwise weight gradient. */
typedef struct {
  const f32 *x, *dy;
  f32 *dw;
  i32 rows, channels, leaf;
  const Axis *y, *x_axis;
} DepthwiseGradient;

/** The sums of one leaf for up to sixteen channels from `c` on. */
static void depthwise_leaf(const DepthwiseGradient *g, i32 from, i32 to, i32 c, f32 *sums) {
  const Axis *ay = g->y, *ax = g->x_axis;
  const i32 lanes = g->channels - c < 16 ? g->channels - c : 16;
  DepthwiseSums s = {0, 0, (isize)ax->stride * g->channels, (isize)ax->dilation * g->channels, g->channels, 0, lanes, 0};
  for (i32 at = 0; at < ay->taps * ax->taps; at++) v_store(sums + at * 16, v_zero());
  for (i32 sample = from; sample < to; sample++)
    for (i32 y = 0; y < ay->count; y++) {
      const Span ys = axis_taps(ay, y);
      const f32 *dy = g->dy + ((isize)sample * ay->count + y) * ax->count * g->channels + c;
      for (i32 tap = ys.tap; tap < ys.tap_end; tap++) {
        const isize in_row = (isize)sample * ay->size + ay->first + y * ay->stride + tap * ay->dilation;
        Span xs;
        for (i32 x = 0; x < ax->count; x = xs.to) {
          xs = axis_span(ax, x);
          const isize in_x = ax->first + (isize)x * ax->stride + (isize)xs.tap * ax->dilation;
          s.x = g->x + (in_row * ax->size + in_x) * g->channels + c;
          s.dy = dy + (isize)x * g->channels;
          s.count = xs.to - x;
          s.sums = sums + (tap * ax->taps + xs.tap) * 16;
          if (lanes == 16)
            depthwise_run(16, &s, xs.tap_end - xs.tap);
          else
            depthwise_run(lanes, &s, xs.tap_end - xs.tap);
        }
      }
    }
}

/** Floats of the workspace for each tap: the sum of the leaf, and one for each level of the tree at which it may be pending. */
#define DEPTHWISE_TAP_FLOATS (32 * 16)
#define DEPTHWISE_TAPS_MAX (WORKSPACE_BYTES / 4 / DEPTHWISE_TAP_FLOATS)

/** The whole gradient, leaf by leaf, merged as in tree.c. */
static void depthwise_gradient(const DepthwiseGradient *g, f32 *workspace) {
  const i32 taps = g->y->taps * g->x_axis->taps, node = taps * 16;
  f32 *sums = workspace, *pending = workspace + node;
  for (i32 c = 0; c < g->channels; c += 16) {
    i32 row = 0;
    for (u32 leaf = 0;; leaf++) {
      const i32 end = smaller(g->rows, row + g->leaf);
      depthwise_leaf(g, row, end, c, sums);
      row = end;
      u32 level = 0;
      // The last leaf merges with all pending subtrees: a node without a right sibling is its own parent.
      for (; row == g->rows ? leaf >> level != 0 : leaf >> level & 1; level++)
        if (leaf >> level & 1)
          for (i32 at = 0; at < node; at += 16)
            v_store(sums + at, v_add(v_load(pending + (isize)level * node + at), v_load(sums + at)));
      if (row == g->rows) break;
      for (i32 at = 0; at < node; at += 16) v_store(pending + (isize)level * node + at, v_load(sums + at));
    }
    for (i32 tap = 0; tap < taps; tap++)
      block_store(g->dw + (isize)tap * g->channels + c, v_load(sums + tap * 16), smaller(16, g->channels - c));
  }
}
