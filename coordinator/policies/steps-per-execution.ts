import { STEPS_PER_EXECUTION_MAX } from '../../shared/engine/step/step-executor.js';

/**
 * How long the local threads should work before they report: short for a person who watches. A member that joins or an
 * interrupt ends an execution after the step under way. Measured: with two threads, executions of 40 ms lost 3% of the time
 * between one and the next.
 */
const EXECUTION_TARGET_MS = 200;
/** Steps of the first execution, when nothing has been measured yet. */
const FIRST_EXECUTION_STEPS = 4;

/** What bounds the next execution. */
export interface ExecutionBounds {
  /** Steps until the epoch ends, a checkpoint is due or the run is over, whichever comes first; at least 1. */
  readonly stepsToBoundary: number;
  /** Measured milliseconds per step of the last execution; undefined before the first. */
  readonly msPerStep: number | undefined;
}

/** How many steps the local threads execute before they report: so many that the hand-over costs nothing per step. */
export function stepsPerExecution({ stepsToBoundary, msPerStep }: ExecutionBounds): number {
  const intended =
    msPerStep === undefined
      ? FIRST_EXECUTION_STEPS
      : Math.floor(EXECUTION_TARGET_MS / Math.max(msPerStep, 0.001));
  return Math.max(1, Math.min(intended, stepsToBoundary, STEPS_PER_EXECUTION_MAX));
}
