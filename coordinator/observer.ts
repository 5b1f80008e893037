import type { GradientFigures } from '../shared/engine/gradient-watch.js';
import type { Fingerprints } from './keeper.js';

/** Means over samples by name, such as loss and accuracy. */
export type Metrics = Readonly<Record<string, number>>;

/** A step that is done, as the coordinator reports it. */
export interface StepRecord {
  /** Steps done, this one included. */
  readonly step: number;
  /** Samples in its batch. */
  readonly batch: number;
  /** Over the batch. */
  readonly means: Metrics;
  /** Members at work. */
  readonly members: number;
}

/** Someone who watches a run: a progress bar, the run directory. Changes nothing. */
export interface Observer {
  stepped(record: StepRecord): void;
  /** Means over the whole evaluation set, after so many steps. */
  evaluated(step: number, means: Metrics): void;
  reported(event: RunEvent): void;
  /** What backprop did in one of the steps that are looked at. */
  watched(figures: GradientFigures): void;
  notice(text: string): void;
}

/** What happened between steps, for the run's log; `step` is the number of steps done before. */
export type RunEvent =
  /** Leaves are handed out another way. */
  | { readonly event: 'assignment'; readonly step: number; readonly reason: string }
  /** Leaves of a member that is late were given to idle ones too. */
  | {
      readonly event: 'hedge';
      readonly step: number;
      readonly from: number;
      readonly to: number;
      readonly late: string;
      readonly helpers: number;
    }
  /** The state after so many steps is safe. */
  | ({ readonly event: 'checkpoint'; readonly step: number } & Fingerprints)
  /** The run has ended with the weights of an earlier step, its best; their hash. */
  | {
      readonly event: 'restored';
      readonly step: number;
      readonly to: number;
      readonly weightsSha256: string;
    }
  /** The run goes on from here; what is different now. */
  | { readonly event: 'resumed'; readonly step: number; readonly changes?: string }
  /** The run goes back to an earlier state, as it rests on what an expelled member said `since` then. */
  | {
      readonly event: 'reverted';
      readonly step: number;
      readonly to: number;
      readonly member: string;
      readonly since: number;
    }
  | Receipt;

/** Why a member was expelled: its sums over these leaves differ from those that another, or two others, came to. */
export interface Receipt {
  readonly event: 'expelled';
  readonly step: number;
  readonly from: number;
  readonly to: number;
  readonly member: string;
  /** The first parameter in which the bits part. */
  readonly parameter: string;
  /** SHA-256 of its sums, and of the right ones. */
  readonly hash: string;
  readonly rightHash: string;
}
