/*
 * What a loss is: an op whose output is one number, the mean over the batch of what each sample contributes,
 *
 *     L = (1 / (B * terms)) * sum over the samples and their terms of l(prediction, target)
 *
 * It writes l and the other metrics as row tensors; the plan sums them through the canonical tree. The sums are what
 * leaves the plan: who wants the mean divides by samples * terms.
 */
import type * as v from 'valibot';
import type { KernelSink } from '../ops/op.js';
import type { Shape } from '../shape.js';

/**
 * A sum over samples that a loss reports. `correct`: how often the largest probability is the target's. `counted`: how many
 * terms were not ignored, where some may be: of these the others are means.
 */
export type Metric = 'loss' | 'correct' | 'counted';

/** What the data must hold for a loss. */
export interface Target {
  readonly dtype: 'f32' | 'i32';
  readonly shape: Shape;
}

/** What the kernel-emitting functions of a loss are told. Offsets are bytes. */
export interface LossCall<A> {
  readonly rows: number;
  readonly attributes: A;
  /** Shape of one sample's prediction. */
  readonly shape: Shape;
  /** [rows, ...shape] */
  readonly prediction: number;
  /** [rows, ...target] */
  readonly target: number;
  /** [rows, saved(shape)]: written by forward, for backward. */
  readonly saved: number;
}

export interface LossForwardCall<A> extends LossCall<A> {
  /** One row tensor [rows, terms] for each metric, in the order of `metrics`. */
  readonly metrics: readonly number[];
}

export interface LossBackwardCall<A> extends LossCall<A> {
  /** Where the error term of the prediction goes, [rows, ...shape]. */
  readonly dPrediction: number;
  /** 1 / (B * terms) */
  readonly scale: number;
}

export interface Loss<A> {
  readonly attributes: v.GenericSchema<unknown, A>;
  metrics(attributes: A): readonly Metric[];
  /**
   * The target that belongs to predictions of this shape.
   * @throws UserError when the loss makes no sense of such predictions
   */
  target(shape: Shape, attributes: A): Target;
  /** Terms of one sample. */
  terms(shape: Shape): number;
  /** Floats of a row of what forward keeps for backward. */
  saved(shape: Shape, attributes: A): number;
  forward(to: KernelSink, call: LossForwardCall<A>): void;
  backward(to: KernelSink, call: LossBackwardCall<A>): void;
}

/** The loss of a model under construction: which field of the data holds the target, and the loss's own settings. */
export interface LossSettings {
  readonly kind: string;
  readonly target: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}
