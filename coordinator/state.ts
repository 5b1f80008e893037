import type { Manifest } from '../shared/data/manifest.js';
import type { Optimizer, OptimizerState } from '../shared/optim/optimizer.js';
import type { Share } from './assignment.js';
import type { Round } from './round.js';

/** What decides a run's weights, and how long it goes on. Set once, before the first step. */
export interface RunSettings {
  /** The graph, as JSON. */
  readonly model: unknown;
  readonly data: Manifest;
  readonly runId: string;
  readonly token: string;
  readonly seed: number;
  readonly batch: number;
  readonly leafSize: number;
  /** Leaves that are never split between members (a virtual group of batch statistics). */
  readonly granule: number;
  /** Samples of the training set. */
  readonly samples: number;
  /** Steps of the whole run. */
  readonly steps: number;
  readonly optimizer: Optimizer;
  /** The learning rate of the step that follows so many. */
  readonly learningRate: (stepsDone: number) => number;
  /** Members that must be ready before the first step. */
  readonly minWorkers: number;
}

/** Where a member is on its way into the run. */
export type MemberPhase = 'challenged' | 'preparing' | 'ready';

/** A worker node as the coordinator knows it. */
export interface Member {
  readonly id: string;
  /** Lives in this process on this memory: weights and partial sums are not sent, only named. */
  readonly sharesMemory: boolean;
  readonly nonce: string;
  phase: MemberPhase;
  name: string;
  backend: string;
  threads: number;
  /** The step whose weights it holds; -1 before the first. */
  weightsStep: number;
  readonly joinedAtMs: number;
  heardAtMs: number;
  samples: number;
}

/** What the coordinator is doing now; in each but `round` an effect is under way that will report. */
export type Activity = 'waiting' | 'striding' | 'round' | 'finishing' | 'evaluating' | 'complete';

/** The whole state of a coordinator. Owned by its actor; changed only by its transition. */
export interface CoordinatorState {
  readonly settings: RunSettings;
  readonly members: Map<string, Member>;
  /** Members that have left, for the report at the end. */
  readonly departed: Member[];
  activity: Activity;
  /** Steps done. */
  step: number;
  optimizer: OptimizerState;
  round: Round | undefined;
  /** The shares of the stride under way. */
  stride: readonly Share[];
  msPerStep: number | undefined;
  /** Someone asked the run to stop after the step under way. */
  interrupted: boolean;
  nowMs: number;
  /** Pings sent: the next one's id. */
  pings: number;
}

/** A coordinator before the first step. */
export function initialState(settings: RunSettings, nowMs: number): CoordinatorState {
  return {
    settings,
    members: new Map(),
    departed: [],
    activity: 'waiting',
    step: 0,
    optimizer: settings.optimizer.init(),
    round: undefined,
    stride: [],
    msPerStep: undefined,
    interrupted: false,
    nowMs,
    pings: 0,
  };
}
