import { SeededRandom } from '../shared/actor/seeded-random.js';
import type { Manifest } from '../shared/data/manifest.js';
import type { StoppingState } from '../shared/optim/early-stopping.js';
import type { Optimizer, OptimizerState } from '../shared/optim/optimizer.js';
import type { PlateauState } from '../shared/optim/plateau.js';
import type { Range } from '../shared/sum/leaves.js';
import type { Assignment, Share } from './assignment.js';
import type { RunProgress } from './checkpoint.js';
import { noRefusals, type Refusals } from './refusals.js';
import type { Round } from './round.js';
import { type CheckpointPolicy, initialSaving, type Saving } from './saving-state.js';
import type { Speed } from './speed.js';
import { type EvaluationPolicy, initialVerdict } from './verdict-state.js';

/** What decides a run's weights, and how long it goes on. Set once, before the first step. */
export interface RunSettings extends EvaluationPolicy {
  /** The graph, as JSON. */
  readonly model: unknown;
  readonly data: Manifest;
  readonly runId: string;
  readonly token: string;
  readonly seed: number;
  readonly batch: number;
  readonly leafSize: number;
  /** Why nobody can join over a link (see frame-fit.ts); left out: they can. */
  readonly misfit?: string | undefined;
  /** Leaves that are never split between members (a virtual group of batch statistics). */
  readonly granule: number;
  /** Samples of the training set. */
  readonly samples: number;
  /** Steps of the whole run. */
  readonly steps: number;
  readonly optimizer: Optimizer;
  /** The learning rate of the step that follows so many, as far as it is a function of the step alone. */
  readonly learningRate: (stepsDone: number) => number;
  /** Members that must be ready before the first step. */
  readonly minWorkers: number;
  /** Backprop is looked at before every so many steps; 0: never. */
  readonly watchEvery: number;
  readonly audit: Audit;
  /** How often the run is saved; left out: never. */
  readonly checkpoints?: CheckpointPolicy | undefined;
}

/** How much of what comes over links is computed a second time, by another member, and compared. */
export interface Audit {
  /** 0 to 1: nothing to everything. */
  readonly fraction: number;
  /** Decides which; nobody who works for the run may know it. */
  readonly seed: number;
}

/** Where a member is on its way into the run. Who watches never does anything for it. */
export type MemberPhase = 'challenged' | 'preparing' | 'ready' | 'watching';

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
  /** Undefined before its first answer. */
  speed: Speed | undefined;
  /** What it was handed in steps that have ended without it, and has not answered. */
  late: LateWork[];
  /** Answers that it may still give, for it was asked (and a few more): whoever says more floods the run. */
  readonly due: { pongs: number; partials: number; chunks: number };
}

/** Work that came to nothing, because others were faster. */
interface LateWork {
  readonly step: number;
  readonly range: Range;
  readonly handedMs: number;
}

/** What was not finite. */
export type Divergence = 'step' | 'evaluation';

/** What the coordinator is doing now; in each but `round` and `reverting` an effect is under way that will report. */
export type Activity =
  | 'waiting'
  | 'watching'
  | 'striding'
  | 'round'
  | 'reverting'
  | 'finishing'
  | 'evaluating'
  | 'complete';

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
  /** The evaluation with the lowest loss so far. */
  best: RunProgress['best'];
  /** How large the rate is after plateaus, and how long no evaluation was better; where settings ask for it. */
  plateau: PlateauState | undefined;
  stopping: StoppingState | undefined;
  /** The step whose weights the run has ended with, where it has put the best in place. */
  restored: number | undefined;
  saving: Saving;
  /** Steps done at the latest look at backprop; -1 before the first. */
  watchedAt: number;
  round: Round | undefined;
  /** Who computes what in rounds, by the leaves of a batch: the last batch of an epoch may have fewer. */
  readonly assignments: Map<number, Assignment>;
  readonly draws: SeededRandom;
  /** By the name of a machine, the first step that rests on sums of it which nobody has confirmed. */
  readonly believedSince: Map<string, number>;
  /** States of the run that can be gone back to, in the order of their steps; their vectors are kept too. */
  kept: readonly RunProgress[];
  /** Steps between two kept states. */
  keptApart: number;
  /** Where the run goes back to. */
  revertTo: RunProgress | undefined;
  /** The first step has begun, so nobody is waited for any more. */
  hasBegun: boolean;
  /** When the coordinator will be woken; infinity when it need not be. */
  wakeAtMs: number;
  /** The shares of the stride under way. */
  stride: readonly Share[];
  msPerStep: number | undefined;
  /** Someone asked the run to stop after the step under way. */
  interrupted: boolean;
  /** The sums of the step that comes next, or of the latest evaluation, are no finite numbers: the run ends. */
  diverged: Divergence | undefined;
  /** Of the latest message, and of the latest look at who is still there. */
  nowMs: number;
  sweptAtMs: number;
  /** Pings sent: the next one's id. */
  pings: number;
  readonly refusals: Refusals;
}

/** Steps between two kept states at first; see reversal.ts. */
const KEPT_APART_FIRST = 16;

/**
 * A coordinator before the first step.
 * @param from what a run remembers that goes on
 */
export function initialState(settings: RunSettings, nowMs: number, from?: RunProgress): CoordinatorState {
  return {
    settings,
    members: new Map(),
    departed: [],
    activity: 'waiting',
    step: from?.step ?? 0,
    optimizer: from?.optimizer ?? settings.optimizer.init(),
    best: from?.best ?? null,
    plateau: undefined,
    stopping: undefined,
    ...initialVerdict(settings, from),
    restored: undefined,
    saving: initialSaving(from?.step ?? -1, nowMs),
    watchedAt: -1,
    round: undefined,
    assignments: new Map(),
    draws: new SeededRandom(settings.audit.seed),
    believedSince: new Map(),
    kept: [],
    keptApart: KEPT_APART_FIRST,
    revertTo: undefined,
    hasBegun: false,
    wakeAtMs: Number.POSITIVE_INFINITY,
    stride: [],
    msPerStep: undefined,
    interrupted: false,
    diverged: undefined,
    nowMs,
    sweptAtMs: nowMs,
    pings: 0,
    refusals: noRefusals(nowMs),
  };
}
