/*
 * Label smoothing (Szegedy et al., "Rethinking the Inception architecture", 2016): targets t become (1 - e) t + e / k over k
 * classes, so that logits do not have to grow without bound.
 */
import * as v from 'valibot';
import type { KernelSink } from '../ops/op.js';

/** The fraction e of a target that is spread over all classes. */
export const LabelSmoothing = v.optional(v.pipe(v.number(), v.minValue(0), v.ltValue(1)), 0);

/** Targets to smooth: [rows, cols] at the byte offset `from`, to `out`, which may be the same. */
interface SmoothedTargets {
  readonly from: number;
  readonly out: number;
  readonly rows: number;
  readonly cols: number;
  readonly smoothing: number;
  /** Number of classes over which the fraction is spread; default: the number of columns. */
  readonly classes?: number;
}

/** Emits the smoothing of targets, if smoothing is not 0. @returns the offset of the targets */
export function emitSmoothed(to: KernelSink, targets: SmoothedTargets): number {
  const { from, out, rows, cols, smoothing, classes = cols } = targets;
  if (smoothing === 0) return from;
  to.emit('affineVector', {
    out,
    a: from,
    n: rows * cols,
    factor: 1 - smoothing,
    summand: smoothing / classes,
  });
  return out;
}
