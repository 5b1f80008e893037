import type { Manifest } from '../../shared/data/manifest.js';
import type { EarlyStopping } from '../../shared/optim/early-stopping.js';
import type { Optimizer } from '../../shared/optim/optimizer.js';
import type { ReduceOnPlateau } from '../../shared/optim/plateau.js';
import type { WireCompression, WireLocalUpdates } from '../../shared/protocol/messages.js';

/** What decides a run's weights, and how long it goes on. Set once, before the first step. */
export interface RunSettings extends EvaluationPolicy {
  /** The graph, as JSON. */
  readonly model: unknown;
  readonly data: Manifest;
  readonly runId: string;
  /** Permits working for the run; the token for watching is derived from it. */
  readonly token: string;
  /** Permits operating the run; left out: nobody may. */
  readonly operateToken?: string | undefined;
  readonly seed: number;
  readonly batch: number;
  readonly leafSize: number;
  /** Local updates: a step is a round, and its leaves are replicas. Left out: a step is one batch. */
  readonly local?: WireLocalUpdates | undefined;
  /** Most segments in which one answer of a remote member comes. */
  readonly answerSegmentsMax: number;
  /** Leaves that are never split between members (one virtual group of batch statistics). */
  readonly leavesPerGroup: number;
  /** How vectors are encoded for links; left out: they are float32. */
  readonly compression?: WireCompression | undefined;
  /** The level of the tree from which on partial sums are encoded, in a run with a codec; see shared/reduction/shards.ts. */
  readonly shardLevel?: number | undefined;
  /** Samples of the training set. */
  readonly samples: number;
  /** Steps of the whole run: rounds, with local updates. */
  readonly steps: number;
  readonly optimizer: Optimizer;
  /**
   * The learning rate of the optimizer step after this many, as far as it is a function of the step alone. With local updates
   * those of one replica count.
   */
  readonly learningRate: (stepsDone: number) => number;
  /** Members that must be ready before the first step. */
  readonly minWorkers: number;
  /** Backprop is inspected before every so many steps; 0: never. */
  readonly inspectEvery: number;
  readonly audit: AuditSettings;
  /** Connections that can be open at a time; left out: as many as there can be members. */
  readonly connectionsMax?: number | undefined;
  /** Machines that may not work for the run, by the name or the key of their workers; left out: none. */
  readonly banned?: readonly string[] | undefined;
  readonly placement: PlacementPolicy;
  readonly exchange: ExchangeSettings;
  /** How often the run is saved; left out: never. */
  readonly checkpoints?: CheckpointPolicy | undefined;
}

/** When a run is evaluated, and what that decides. */
export interface EvaluationPolicy {
  /** The rate falls when evaluations stop improving; left out: it does not. */
  readonly plateau?: { readonly settings: ReduceOnPlateau; readonly baseRate: number } | undefined;
  /** The run ends when evaluations stop improving; left out: it does not. */
  readonly earlyStopping?: EarlyStopping | undefined;
  /** Steps between two evaluations; left out: those of an epoch. With local updates rounds. */
  readonly evaluateEvery?: number | undefined;
  /** Whether there is data to evaluate on; left out: there is. */
  readonly isEvaluated?: boolean;
}

/** How much of what comes over links is computed a second time by another member, and compared. */
export interface AuditSettings {
  /** 0 to 1: nothing to everything. */
  readonly fraction: number;
  /** Decides which tasks are audited; no member may know it. */
  readonly seed: number;
}

/** Which remote members are given work: those that make the run faster, or all of them. */
export type PlacementPolicy = 'auto' | 'all';

/** What a member that is not on the coordinator's machine sends and receives in a step. */
export interface ExchangeSettings {
  /** Both ways together, without headers, if the member's share is one subtree. */
  readonly bytes: number;
  /** Other ways to train that exchange less. */
  readonly others: readonly ExchangeMode[];
}

/** A way to train that another exchange belongs to. */
export interface ExchangeMode {
  /** As it is typed, such as "--compress int8". */
  readonly option: string;
  /** Of one exchange, both ways together. */
  readonly bytes: number;
  /** Steps between two exchanges. */
  readonly steps: number;
}

/** How often a run is saved: every so many steps, every so many milliseconds, or after exactly these steps, ascending. */
export type CheckpointPolicy =
  | { readonly everySteps: number }
  | { readonly everyMs: number }
  | { readonly atSteps: readonly number[] };
