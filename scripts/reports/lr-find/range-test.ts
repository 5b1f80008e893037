/*
 * The learning rate range test (Smith: "Cyclical learning rates for training neural networks", 2017): train with a rate
 * that grows at every step, and find where the loss falls and where it explodes.
 */
import type { Observer, StepRecord } from '../../../coordinator/state/observer.js';
import { UserError } from '../../../shared/errors.js';

/** The rate grows by this factor at each step: 24 steps for ten times the rate. */
export const GROWTH = 1.1;

/** Weight of the previous average in the smoothed loss. */
const SMOOTHING = 0.9;
/** The loss has exploded when it exceeds this multiple of the smallest. */
const EXPLOSION = 4;
/** Steps at the beginning whose losses are not evaluated. */
const SETTLING_STEPS = 10;

/** One step of the test. */
export interface RangePoint {
  readonly rate: number;
  /** Mean over the step's batch. */
  readonly loss: number;
  /** Bias-corrected moving average of the losses, this one included. */
  readonly smoothed: number;
}

/** Number of steps from one rate to another, both included. */
export function rangeSteps(from: number, to: number): number {
  let steps = 1;
  for (let rate = from; rate < to; rate *= GROWTH) steps += 1;
  return steps;
}

/** A running test. */
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
   * Adds a step's loss.
   * @returns whether the loss has exploded, so that higher rates give no more information
   */
  add(loss: number): boolean {
    if (!Number.isFinite(loss)) return true;
    this.average = SMOOTHING * this.average + (1 - SMOOTHING) * loss;
    this.weight = SMOOTHING * this.weight + (1 - SMOOTHING);
    const smoothed = this.average / this.weight;
    this.points.push({ rate: this.rate, loss, smoothed });
    this.rate *= GROWTH;
    if (this.points.length <= SETTLING_STEPS) return false;
    this.smallest = Math.min(this.smallest, smoothed);
    return smoothed > EXPLOSION * this.smallest;
  }
}

/**
 * The rate at which the smoothed loss falls fastest: large enough to learn, and well below the rate at which the loss
 * rises again.
 * @throws UserError when the loss never falls
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
    throw new UserError('the loss fell at none of these rates; try others with --from and --to');
  return best.rate;
}

/** Runs the test on a run whose rate grows by GROWTH, and ends the run when the loss has exploded. */
export class RangeTestObserver implements Observer {
  private readonly test: RangeTest;
  private isOver = false;

  /**
   * @param from rate of the first step
   * @param end ends the run
   */
  constructor(
    from: number,
    private readonly end: () => void,
  ) {
    this.test = new RangeTest(from);
  }

  get points(): RangeTest['points'] {
    return this.test.points;
  }

  stepped({ means }: StepRecord): void {
    // An execution completes its remaining steps after end().
    if (this.isOver) return;
    this.isOver = this.test.add(means.loss as number);
    if (this.isOver) this.end();
  }

  evaluated(): void {}

  reported(): void {}

  inspected(): void {}

  notice(): void {}
}
