/*
 * The learning rate range test (Smith: "Cyclical learning rates for training neural networks", 2017): train with a rate
 * that grows from step to step, and see where the loss falls and where it explodes.
 */
import { UserError } from '../../shared/errors.js';

/** The rate grows by this factor at each step: 24 steps for ten times the rate. */
export const GROWTH = 1.1;

/** Weight of what was seen before, in the smoothed loss. */
const INERTIA = 0.9;
/** The loss has exploded when it is so many times the smallest. */
const EXPLOSION = 4;
/** Steps before anything is made of the losses. */
const SETTLING_STEPS = 10;

/** One step of the test. */
export interface RangePoint {
  readonly rate: number;
  /** Mean over the step's batch. */
  readonly loss: number;
  /** Moving average over the steps, this one included, without the pull towards its beginning. */
  readonly smoothed: number;
}

/** Steps that a test takes from one rate to another, both included. */
export function rangeSteps(from: number, to: number): number {
  let steps = 1;
  for (let rate = from; rate < to; rate *= GROWTH) steps += 1;
  return steps;
}

/** A test as it goes on. */
export class RangeTest {
  readonly points: RangePoint[] = [];
  private rate: number;
  private average = 0;
  private weight = 0;
  private smallest = Number.POSITIVE_INFINITY;

  constructor(from: number) {
    this.rate = from;
  }

  /**
   * Takes a step's loss.
   * @returns whether the loss has exploded: greater rates will tell nothing more
   */
  add(loss: number): boolean {
    if (!Number.isFinite(loss)) return true;
    this.average = INERTIA * this.average + (1 - INERTIA) * loss;
    this.weight = INERTIA * this.weight + (1 - INERTIA);
    const smoothed = this.average / this.weight;
    this.points.push({ rate: this.rate, loss, smoothed });
    this.rate *= GROWTH;
    if (this.points.length <= SETTLING_STEPS) return false;
    this.smallest = Math.min(this.smallest, smoothed);
    return smoothed > EXPLOSION * this.smallest;
  }
}

/**
 * The rate at which the smoothed loss falls fastest, per factor of the rate: large enough to learn, and safely below the
 * rate at which the loss rises again.
 * @throws UserError when it falls nowhere
 */
export function suggestRate(points: readonly RangePoint[]): number {
  let best: RangePoint | undefined;
  let steepest = 0;
  for (let i = SETTLING_STEPS; i < points.length; i++) {
    const point = points[i] as RangePoint;
    const slope = point.smoothed - (points[i - 1] as RangePoint).smoothed;
    if (slope < steepest) [best, steepest] = [point, slope];
  }
  if (best === undefined)
    throw new UserError('the loss fell at none of these rates: try others, with --from and --to');
  return best.rate;
}
