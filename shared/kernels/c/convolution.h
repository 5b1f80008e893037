/**
 * What convolutions have in common. Images are channels-last, [rows, height, width, channels]; kernels are
 * [kernel height, kernel width, inputs / groups, outputs].
 *
 *   y[r, oy, ox, o] = sum over (ky, kx, i) of x[r, oy*strideY - padTop + ky*dilationY, ox*strideX - padLeft +
 *                     kx*dilationX, i] w[ky, kx, i, o]
 *
 * A tap that falls outside of the image is SKIPPED: it adds nothing, not even +0. So results whose taps are the same
 * are taken together: inside an image that is one large rectangle, along its border a few small ones, and in each the
 * product is dense. No copy of the image with its borders, or of its patches, is ever made.
 */
#pragma once
#include "pack.h"

INLINE i32 larger(i32 a, i32 b) { return a > b ? a : b; }
INLINE i32 smaller(i32 a, i32 b) { return a < b ? a : b; }

/** Along one axis: where results lie, and which place of the input each tap of each result reads. */
typedef struct {
  /** Results 0..count-1; result t lies at place out + t * out_step. */
  i32 count, out, out_step;
  /** Tap j of result t reads place first + t * stride + j * dilation, if that is one of the `size` places. */
  i32 first, stride, taps, dilation, size;
  /** Tap j is number tap + j * tap_step of the kernel. */
  i32 tap, tap_step;
} Axis;

/** Results from..to-1 of an axis, which read exactly the taps tap..tap_end-1. */
typedef struct {
  i32 from, to, tap, tap_end;
} Span;

/** The taps of one result, as a span of that result alone. */
static Span axis_taps(const Axis *axis, i32 t) {
  i32 place = axis->first + t * axis->stride, step = axis->dilation;
  i32 tap = place < 0 ? (step - 1 - place) / step : 0;
  i32 end = place < axis->size ? (axis->size - 1 - place) / step + 1 : 0;
  if (end > axis->taps) end = axis->taps;
  const Span none = {t, t + 1, 0, 0}, some = {t, t + 1, tap, end};
  return tap < end ? some : none;
}

/** The longest span that begins with result `from`. */
static Span axis_span(const Axis *axis, i32 from) {
  Span span = axis_taps(axis, from);
  for (; span.to < axis->count; span.to++) {
    const Span next = axis_taps(axis, span.to);
    if (next.tap != span.tap || next.tap_end != span.tap_end) break;
  }
  return span;
}

/** The axis of a convolution's results. */
INLINE Axis axis_forward(i32 results, i32 places, i32 taps, i32 stride, i32 pad, i32 dilation) {
  const Axis axis = {results, 0, 1, -pad, stride, taps, dilation, places, 0, 1};
  return axis;
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
 * The axis of those places of the image that are `phase` modulo the stride, seen as results of a convolution over the
 * error term: each of them meets the same taps, from the last to the first, so that places of the error term ascend.
 * `results` and `places` are those of the forward direction.
 */
static Axis axis_backward(i32 results, i32 places, i32 taps, i32 stride, i32 pad, i32 dilation, i32 phase) {
  Axis axis = {places > phase ? (places - phase + stride - 1) / stride : 0, phase, stride, 0, 1, 0, 1, results, 0, 0};
  // Tap k of the kernel is met when phase + pad - k * dilation is a multiple of the stride: every `every`th is.
  i32 every = stride / common_divisor(stride, dilation);
  for (i32 k = taps - 1; k >= 0; k--) {
    i32 place = phase + pad - k * dilation;
    if (place % stride != 0) continue;
    if (axis.taps == 0) {
      axis.tap = k;
      axis.first = place / stride;
    }
    axis.taps++;
  }
  axis.tap_step = -every;
  axis.dilation = every * dilation / stride;
  return axis;
}
