import type { MemberChange } from '../coordinator/state/observer.js';

/** A step is done. */
export interface StepEvent {
  readonly kind: 'step';
  /** Steps done, this one included. */
  readonly step: number;
  /** Steps of the whole run. */
  readonly steps: number;
  /** The epoch of the step, from 1. */
  readonly epoch: number;
  /** Mean over the batch. */
  readonly loss: number;
  /** Samples done so far. */
  readonly samples: number;
  /** Workers at work. */
  readonly workers: number;
}

/** The network was evaluated. */
export interface EvaluationEvent {
  readonly kind: 'evaluation';
  /** Steps done before. */
  readonly step: number;
  /** Passes over the data before; a fraction between epochs. */
  readonly epoch: number;
  /** Such as testLoss and testAccuracy. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** An epoch is over. */
export interface EpochEvent {
  readonly kind: 'epoch';
  readonly step: number;
  /** From 1. */
  readonly epoch: number;
  /** Mean over the samples of the epoch. */
  readonly trainLoss: number;
}

/** A remote worker takes part from now on, or no longer. */
export interface WorkerEvent extends MemberChange {
  readonly kind: 'worker';
}

/** The state after so many steps is on disk. */
export interface CheckpointEvent {
  readonly kind: 'checkpoint';
  readonly step: number;
}

/** Something that people should know, as one line. */
export interface NoticeEvent {
  readonly kind: 'notice';
  readonly text: string;
}

/** What a run tells those who follow it. Plain data: changing it changes nothing in the run. */
export type TrainingEvent =
  | StepEvent
  | EvaluationEvent
  | EpochEvent
  | WorkerEvent
  | CheckpointEvent
  | NoticeEvent;
