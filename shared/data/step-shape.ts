/*
 * What a step of a run takes. By default it takes one batch, which is cut into leaves. With local updates it is a round: its
 * leaves are the replicas, and each of them takes `steps` batches of batch / replicas samples, one after the other. Replica r
 * of round k takes those of the steps (k R + r) H, ... of a run with such batches, so an epoch visits each sample once.
 */
import type { LocalUpdates } from '../optim/local-updates.js';
import { type LeafRange, leafCount, rowsOf } from '../reduction/tree.js';
import { stepPlace, stepsPerEpoch } from './order.js';

/** What decides which samples a step takes, and how they are cut into leaves. */
export interface StepShape {
  /** Samples of the training data. */
  readonly samples: number;
  /** Samples of a step, over all replicas. */
  readonly batch: number;
  readonly leafSize: number;
  /** Left out: every step is one batch. */
  readonly local?: LocalUpdates | undefined;
}

/** Samples of an optimizer step: those of a replica, where there are some. */
export function innerBatch({ batch, local }: Pick<StepShape, 'batch' | 'local'>): number {
  return local === undefined ? batch : batch / local.replicas;
}

/** Number of the first optimizer step of a replica, counted over the whole run and over all replicas. */
export function firstInnerStep({ replicas, steps }: LocalUpdates, round: number, replica: number): number {
  return (round * replicas + replica) * steps;
}

/** Leaves of the step after so many: parts of its batch, or replicas. */
export function leavesOf(shape: StepShape, step: number): number {
  return shape.local?.replicas ?? leafCount(samplesOf(shape, step), shape.leafSize);
}

/** Samples of the step after so many. */
export function samplesOf(shape: StepShape, step: number): number {
  const { samples, batch, local } = shape;
  if (local === undefined) return stepPlace(step, samples, batch).size;
  return samplesIn(shape, step, { from: 0, to: local.replicas });
}

/** Samples of some leaves of the step after so many. */
export function samplesIn(shape: StepShape, step: number, range: LeafRange): number {
  const { samples, batch, leafSize, local } = shape;
  if (local === undefined) return rowsOf(range, stepPlace(step, samples, batch).size, leafSize).rows;
  const inner = innerBatch(shape);
  const before = (innerSteps: number): number => {
    const perEpoch = stepsPerEpoch(samples, inner);
    return Math.floor(innerSteps / perEpoch) * samples + (innerSteps % perEpoch) * inner;
  };
  return before(firstInnerStep(local, step, range.to)) - before(firstInnerStep(local, step, range.from));
}

/** Passes over the data after so many steps; a whole number exactly where one ends. */
export function epochsAfter(shape: StepShape, stepsDone: number): number {
  return (stepsDone * innerStepsOf(shape)) / stepsPerEpoch(shape.samples, innerBatch(shape));
}

/** Whether the step before so many steps done completes a pass over the data. */
export function endsEpoch(shape: StepShape, stepsDone: number): boolean {
  return Math.floor(epochsAfter(shape, stepsDone)) > Math.floor(epochsAfter(shape, stepsDone - 1));
}

/** Steps that so many passes over the data take. */
export function stepsOfEpochs(shape: StepShape, epochs: number): number {
  return Math.ceil((epochs * stepsPerEpoch(shape.samples, innerBatch(shape))) / innerStepsOf(shape));
}

/** Orders of samples that are in use at a time: those of the epochs that a step reaches into, and one more. */
export function ordersInUse(shape: StepShape): number {
  return 1 + Math.ceil(innerStepsOf(shape) / stepsPerEpoch(shape.samples, innerBatch(shape)));
}

/** Optimizer steps of a step, over all replicas. */
function innerStepsOf({ local }: Pick<StepShape, 'local'>): number {
  return local === undefined ? 1 : local.replicas * local.steps;
}
