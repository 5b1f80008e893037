import type { Plan } from '../../compiler/plan.js';
import type { Clipping } from '../../optim/clipping.js';
import type { GradientNoise } from '../../optim/gradient-noise.js';
import type { Optimizer } from '../../optim/optimizer.js';
import { blocksOf } from './update-partition.js';

/** What a machine that updates the weights needs besides the run's memory. */
export interface Updater {
  readonly optimizer: Optimizer;
  /** Byte offsets of the optimizer's state vectors, `plan.parameterFloats` floats each. */
  readonly state: readonly number[];
  readonly clipping?: Clipping;
  /** Noise that is added to gradients, and the seed of the run. */
  readonly noise?: GradientNoise & { readonly seed: number };
  /** Byte offset of the sums of squares of the gradient's blocks: `guardFloats` sums, followed by `guardFloats` guards. */
  readonly norms: number;
  /** Byte offset of the encoded update of the latest step, in a run with a codec. */
  readonly update?: number | undefined;
  /**
   * Byte offsets of two vectors, where the codec keeps a residual: what rounding has taken from the gradients so far, and the
   * same after the step under way, which replaces it when the step is known to be finite.
   */
  readonly residual?: { readonly now: number; readonly next: number } | undefined;
}

/** Floats of the guard, which shows whether a step's sums are finite: one for each block of the gradient, and one for the metrics. */
export function guardFloats({ parameters }: Pick<Plan, 'parameters'>): number {
  return blocksOf(parameters).length + 1;
}

/** Byte offset of the guard. */
export function guardOf(plan: Plan, { norms }: Pick<Updater, 'norms'>): number {
  return norms + guardFloats(plan) * 4;
}
