import type { OptimizerState } from '../shared/optim/optimizer.js';
import { type AuditingState, auditMemory, initialAuditing, unverifiedMachines } from './auditing/rollback.js';
import { initialMembership, type MembershipState } from './membership/membership.js';
import { expulsionsOf } from './membership/standings.js';
import { type CheckpointingState, initialCheckpointing } from './policies/checkpoint-policy.js';
import { type EvaluationState, evaluationProgress, initialEvaluation } from './policies/evaluation-policy.js';
import { type InspectionState, initialInspection } from './policies/inspection-policy.js';
import { initialScheduling, type SchedulingState } from './scheduling/scheduling-state.js';
import type { Share } from './state/messages.js';
import type { RunSettings } from './state/run-settings.js';
import type { RunProgress } from './storage/checkpoint.js';
import type { AuditMemory, MemberLedger } from './storage/member-ledger.js';

/**
 * The whole state of a coordinator: one part for each room, changed by that room alone, and `training`, which is the training
 * loop's own. Owned by the coordinator's actor.
 */
export interface CoordinatorState {
  readonly settings: RunSettings;
  readonly training: TrainingState;
  readonly membership: MembershipState;
  readonly scheduling: SchedulingState;
  readonly auditing: AuditingState;
  readonly evaluation: EvaluationState;
  readonly checkpointing: CheckpointingState;
  readonly inspection: InspectionState;
}

/** What the coordinator is doing now; the diagram is in training-loop.ts. */
export type Activity =
  | 'waiting'
  | 'inspecting'
  | 'executing'
  | 'distributed-step'
  | 'rolling-back'
  | 'finishing'
  | 'evaluating'
  | 'complete';

/** What is not finite. */
export type Divergence = 'step' | 'evaluation';

/** How far the run has come, and what it is doing. */
export interface TrainingState {
  activity: Activity;
  /** Steps done. */
  step: number;
  optimizer: OptimizerState;
  /** The first step has begun, so no more members are waited for. */
  hasBegun: boolean;
  /** Since when no step is trained, as the run waits for workers, or is paused; undefined: it does not. */
  idleSinceMs: number | undefined;
  /** The shares of the execution under way. */
  executing: readonly Share[];
  /** Of the latest execution; undefined before the first. */
  msPerStep: number | undefined;
  /** An operator has paused the run: no step begins. */
  isPaused: boolean;
  /** Somebody asked the run to end after the step under way. */
  isInterrupted: boolean;
  /**
   * The sums of the next step are not finite, and rest on answers that nobody has confirmed: it is done again with every answer
   * confirmed by a second member, before anything is concluded from it.
   */
  isRechecking: boolean;
  /** The sums of the next step, or of the latest evaluation, are not finite: the run ends. */
  diverged: Divergence | undefined;
}

/**
 * A coordinator before the first step.
 * @param from what a run remembers that goes on
 * @param memory what it remembers of its members
 */
export function initialState(
  settings: RunSettings,
  nowMs: number,
  from?: RunProgress,
  memory?: AuditMemory,
): CoordinatorState {
  return {
    settings,
    training: {
      activity: 'waiting',
      step: from?.step ?? 0,
      optimizer: from?.optimizer ?? settings.optimizer.init(),
      hasBegun: false,
      idleSinceMs: undefined,
      executing: [],
      msPerStep: undefined,
      isPaused: false,
      isInterrupted: false,
      isRechecking: false,
      diverged: undefined,
    },
    membership: initialMembership(settings, nowMs, memory?.ledger),
    scheduling: initialScheduling(settings),
    auditing: initialAuditing(settings.audit, from?.step ?? 0, memory),
    evaluation: initialEvaluation(settings, from),
    checkpointing: initialCheckpointing(settings.checkpoints, from?.step ?? -1, nowMs),
    inspection: initialInspection(settings.inspectEvery, settings.steps),
  };
}

/** What a run has to remember from step to step. */
export function progressOf({ training, evaluation }: CoordinatorState): RunProgress {
  const { step, optimizer } = training;
  return { step, optimizer, ...evaluationProgress(evaluation) };
}

/** What a run remembers of its members when its coordinator is started anew; undefined when there is nothing to remember. */
export function ledgerOf({ auditing, membership }: CoordinatorState): MemberLedger | undefined {
  const expulsions = expulsionsOf(membership.standings);
  const banned = [...membership.bans];
  if (!auditing.isOn && Object.keys(expulsions).length + banned.length === 0) return undefined;
  return { ...auditMemory(auditing), expulsions, banned };
}

/** Which bans of the settings are of machines whose sums are in the weights unverified, from before a resume. */
export function bansToUndo({ settings, auditing }: CoordinatorState): readonly string[] {
  return (settings.banned ?? []).filter((who) => unverifiedMachines(auditing, who).length > 0);
}
