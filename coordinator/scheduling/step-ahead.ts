import type { CoordinatorEffect } from '../state/messages.js';

/** How the next step is done. */
export interface NextStep {
  readonly effects: CoordinatorEffect[];
  /** By members elsewhere too; otherwise by an execution on local threads. */
  readonly isDistributed: boolean;
  /** Most steps of the execution. */
  readonly stepsMax: number;
}

/** The step ahead. */
export interface StepAhead {
  /** Steps done; the weights in memory are those of this step. */
  readonly step: number;
  /** Leaves of its batch; the last batch of an epoch may have fewer than others. */
  readonly leaves: number;
  /** A whole batch. */
  readonly batch: { readonly samples: number; readonly leaves: number };
  /** Steps until the run is over, this one included. */
  readonly stepsLeft: number;
}
