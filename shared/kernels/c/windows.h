/**
 * Windows that slide over the positions of an axis, for convolutions and pooling. A window is the taps of one result.
 *
 * A tap outside of the image is SKIPPED: it adds nothing, not even +0. Results with the same taps form a span and are
 * computed together: inside an image the spans of both axes form one large rectangle, along its border a few small ones.
 */
#pragma once
#include "kernel.h"

/** One axis: where results lie, and which position of the input each tap of each result reads. */
typedef struct {
  /** Results 0..count-1; result t lies at position out + t * out_step. */
  i32 count, out, out_step;
  /** Tap j of result t reads position first + t * stride + j * dilation, if that is one of the `size` positions. */
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
  i32 position = axis->first + t * axis->stride, step = axis->dilation;
  i32 tap = position < 0 ? (step - 1 - position) / step : 0;
  i32 end = position < axis->size ? (axis->size - 1 - position) / step + 1 : 0;
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
INLINE Axis axis_forward(i32 results, i32 positions, i32 taps, i32 stride, i32 pad, i32 dilation) {
  const Axis axis = {results, 0, 1, -pad, stride, taps, dilation, positions, 0, 1};
  return axis;
}
