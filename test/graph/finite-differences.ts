import type { PlannedParameter } from '../../shared/compiler/flat-vector.js';
import type { Named, Trainer } from '../support/trainer.js';

/** Half of the step in one weight: large compared with the rounding of losses, small compared with their curvature. */
const STEP = 2 ** -7;

/**
 * dL/dw of every weight by central differences of the loss, with Richardson's extrapolation from two steps h and h/2
 * ((4 D(h/2) - D(h)) / 3, error of order h^4): a gradient that does not use any derivative.
 */
export function numericalGradients(trainer: Trainer): Named {
  return Object.fromEntries(
    trained(trainer).map(({ name, size }) => {
      const weights = trainer.parameter(name);
      const gradient = Float32Array.from({ length: size }, (_, i) => {
        const coarse = centralDifference(trainer, weights, i, STEP);
        return (4 * centralDifference(trainer, weights, i, STEP / 2) - coarse) / 3;
      });
      return [name, gradient];
    }),
  );
}

/** The trained parameters: the training loss does not depend on moving averages. */
function trained({ plan }: Trainer): PlannedParameter[] {
  return plan.parameters.filter(({ momentum, isFrozen }) => momentum === undefined && !isFrozen);
}

/** The largest difference of two gradients, relative to the larger of 1/10 and the largest element. */
export function worstError(actual: Float32Array, expected: Float32Array): number {
  const scale = expected.reduce((largest, x) => Math.max(largest, Math.abs(x)), 0.1);
  const errors = Array.from(expected, (x, i) => Math.abs((actual[i] ?? Number.NaN) - x) / scale);
  // A NaN counts as an infinite error.
  return errors.some(Number.isNaN) ? Number.POSITIVE_INFINITY : Math.max(...errors);
}

function centralDifference(trainer: Trainer, weights: Float32Array, index: number, step: number): number {
  const before = weights[index] as number;
  weights[index] = before + step;
  const width = weights[index] as number;
  const above = loss(trainer);
  weights[index] = before - step;
  const below = loss(trainer);
  const exactWidth = width - (weights[index] as number);
  weights[index] = before;
  return (above - below) / exactWidth;
}

function loss(trainer: Trainer): number {
  // The training loss: dropout and augmentation are part of the differentiated function.
  return trainer.means(trainer.sums(trainer.gradient())).loss as number;
}
