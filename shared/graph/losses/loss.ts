/*
 * The interface of losses. A loss is an op whose output is one number, the mean over the batch of the terms of each sample:
 *
 *     L = (1 / (B * terms)) * sum over the samples and their terms of l(prediction, target)
 *
 * It writes l and the other metrics as row tensors; the plan sums them by the canonical tree. The plan outputs these sums: a
 * mean is the sum divided by samples * terms.
 */
import type * as v from 'valibot';
import type { KernelSink } from '../ops/op.js';
import type { Shape } from '../shape.js';
import type { LossWeights } from './weights.js';

/**
 * A sum over samples that a loss reports. `correct`: the number of terms whose largest probability is that of the target.
 * `counted`: the number of terms that are not ignored, if a loss can ignore some; the other metrics are then means of these.
 */
export type Metric = 'loss' | 'correct' | 'counted';

/** The field that the data must have for a loss. */
export interface Target {
  readonly dtype: 'f32' | 'i32';
  readonly shape: Shape;
}

/** Arguments of the kernel-emitting functions of a loss. Offsets are bytes. */
export interface LossCall<A> {
  readonly rows: number;
  readonly attributes: A;
  /** Shape of the prediction of one sample. */
  readonly shape: Shape;
  /** [rows, ...shape] */
  readonly prediction: number;
  /** [rows, ...target]; 0 for a loss without one. */
  readonly target: number;
  /** [rows, saved(shape)]: written by forward, for backward. */
  readonly saved: number;
}

export interface LossForwardCall<A> extends LossCall<A> {
  /** One row tensor [rows, terms] for each metric, in the order of `metrics`. */
  readonly metrics: readonly number[];
}

export interface LossBackwardCall<A> extends LossCall<A> {
  /** Output: the error term of the prediction, [rows, ...shape]. */
  readonly dPrediction: number;
  /** 1 / (B * terms) */
  readonly scale: number;
}

export interface Loss<A> {
  readonly attributes: v.GenericSchema<unknown, A>;
  metrics(attributes: A): readonly Metric[];
  /**
   * The target for predictions of this shape; undefined for a loss without one.
   * @throws UserError when the loss does not accept such predictions
   */
  target(shape: Shape, attributes: A): Target | undefined;
  /** Number of terms of one sample. */
  terms(shape: Shape): number;
  /** Floats of a row that forward saves for backward. */
  saved(shape: Shape, attributes: A): number;
  forward(to: KernelSink, call: LossForwardCall<A>): void;
  backward(to: KernelSink, call: LossBackwardCall<A>): void;
}

/** The loss of a model under construction: the field of the data that holds the target, and settings of the loss. */
export interface LossSettings {
  readonly kind: string;
  readonly target: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Weights of its terms; left out: all are 1. */
  readonly weights?: LossWeights;
}
