import { assert } from '../../shared/errors.js';
import type { CoordinatorEffect, CoordinatorMessage } from '../state/messages.js';
import type { CheckpointPolicy } from '../state/run-settings.js';
import type { RunProgress } from '../storage/checkpoint.js';

/*
 * When a run is saved: before its first step, as often as its settings say, after every evaluation that is better than all
 * before, when an operator asks for it, and at the end. A save copies the state at once and writes it beside the steps that follow; the next save waits
 * until it is done.
 */

/** Saves by the clock are at least so many times as far apart as one takes: disks and processors have other work. */
const REST = 20;

/** The checkpoint policy's part of the state. */
export interface CheckpointingState {
  /** How often the run is saved; undefined: never. */
  readonly policy: CheckpointPolicy | undefined;
  /** Steps done when the latest save began; -1 before the first. */
  step: number;
  atMs: number;
  isUnderWay: boolean;
  /** An operator has asked for a save that has not begun. */
  isRequested: boolean;
  /** The run has rolled back, and there may still be checkpoints of later steps. */
  isBack: boolean;
  /** Behind this step there are no checkpoints any more, in a run that rolls back to it. */
  forgottenAfter: number | undefined;
  /** Steps done in the latest state that is durable; -1 when there is none. */
  durableStep: number;
  /** How long the latest save took. */
  elapsedMs: number;
  /** What was wrong with the latest save; reported once. */
  problem: string | undefined;
}

/** Nothing saved yet; or, in a run that goes on, what it goes on from. @param step steps done then; -1: a new run */
export function initialCheckpointing(
  policy: CheckpointPolicy | undefined,
  step: number,
  nowMs: number,
): CheckpointingState {
  return {
    policy,
    step,
    atMs: nowMs,
    isUnderWay: false,
    isRequested: false,
    isBack: false,
    forgottenAfter: undefined,
    durableStep: step,
    elapsedMs: 0,
    problem: undefined,
  };
}

/**
 * Saves the state, if it is time to. To be called while nothing else is under way. `mayGoOn`: the next step may begin. It may
 * not while another save is under way and this state must not be skipped: one that was asked for by its step, or the best
 * so far.
 */
export function saveWhenDue(
  part: CheckpointingState,
  progress: RunProgress,
  nowMs: number,
): { readonly effects: CoordinatorEffect[]; readonly mayGoOn: boolean } {
  const { policy } = part;
  const effects = isDue(part, progress, nowMs) ? [save(part, progress, nowMs)] : [];
  const mustBeSaved = policy !== undefined && isRequired(policy, progress);
  return { effects, mayGoOn: part.step === progress.step || !mustBeSaved };
}

/** Saves the last state of a run. `isDone`: the save has ended, well or not. */
export function saveAtEnd(
  part: CheckpointingState,
  progress: RunProgress,
  nowMs: number,
): { readonly effects: CoordinatorEffect[]; readonly isDone: boolean } {
  if (part.policy === undefined) return { effects: [], isDone: true };
  if (part.isUnderWay) return { effects: [], isDone: false };
  if (part.step === progress.step) return { effects: [], isDone: true };
  return { effects: [save(part, progress, nowMs)], isDone: false };
}

/**
 * The run rolls back: removes the checkpoints that are undone, before anybody is told of it. To be called while no save is
 * under way. `isDone`: they are removed, or cannot be.
 * @param step that it goes back to
 */
export function forgetUndone(
  part: CheckpointingState,
  step: number,
): { readonly effects: CoordinatorEffect[]; readonly isDone: boolean } {
  if (part.policy === undefined || part.forgottenAfter === step) return { effects: [], isDone: true };
  part.isUnderWay = true;
  part.isBack = true;
  return { effects: [{ kind: 'forget-checkpoints', after: step }], isDone: false };
}

/** Checkpoints were removed, or could not be: then the next save tries again. */
export function onForgot(
  part: CheckpointingState,
  { after, outcome }: Extract<CoordinatorMessage, { kind: 'forgot' }>,
): CoordinatorEffect[] {
  part.isUnderWay = false;
  part.forgottenAfter = after;
  if ('newest' in outcome) {
    part.durableStep = Math.min(part.durableStep, outcome.newest);
    return [];
  }
  const text = `the checkpoints after step ${after} rest on wrong sums, and ${outcome.problem}: do not resume from them`;
  return [{ kind: 'notice', text }];
}

/** The run has rolled back: saves its state again. */
export function onRolledBack(
  part: CheckpointingState,
  progress: RunProgress,
  nowMs: number,
): CoordinatorEffect[] {
  if (part.policy === undefined) return [];
  part.forgottenAfter = undefined;
  return [save(part, progress, nowMs)];
}

/** An operator asks for a save, as soon as it can be. @returns why there is none; undefined when there is one */
export function requestSave(part: CheckpointingState, step: number): string | undefined {
  if (part.policy === undefined)
    return 'the run saves no checkpoints, as it was started with --checkpoint-every 0';
  if (part.durableStep === step) return `the state after step ${step} is saved already`;
  part.isRequested = true;
  return undefined;
}

/** Steps until the state is to be saved; at least 1. */
export function stepsToSave({ policy }: CheckpointingState, step: number): number {
  if (policy === undefined || 'everyMs' in policy) return Number.POSITIVE_INFINITY;
  if ('everySteps' in policy) return policy.everySteps - (step % policy.everySteps);
  return (policy.atSteps.find((next) => next > step) ?? Number.POSITIVE_INFINITY) - step;
}

/** A save has ended. */
export function onSaved(
  part: CheckpointingState,
  { step, outcome }: Extract<CoordinatorMessage, { kind: 'saved' }>,
  nowMs: number,
): CoordinatorEffect[] {
  assert(part.isUnderWay, 'a save has ended that had not begun');
  part.isUnderWay = false;
  part.elapsedMs = nowMs - part.atMs;
  if ('problem' in outcome) {
    const { problem } = outcome;
    const isNews = part.problem !== problem;
    part.problem = problem;
    const rest =
      part.durableStep < 0 ? 'the run has none yet' : `the latest checkpoint is of step ${part.durableStep}`;
    return isNews ? [{ kind: 'notice', text: `no checkpoint of step ${step}: ${problem}; ${rest}` }] : [];
  }
  const wasBroken = part.problem !== undefined;
  part.problem = undefined;
  part.isBack = false;
  part.durableStep = step;
  const effects: CoordinatorEffect[] = wasBroken
    ? [{ kind: 'notice', text: `checkpoints can be saved again: step ${step} is saved` }]
    : [];
  return [...effects, { kind: 'report', event: { event: 'checkpoint', step, ...outcome } }];
}

/** Whether a state must not be skipped: one that was asked for by its step, or the best so far. */
function isRequired(policy: CheckpointPolicy, { step, best }: RunProgress): boolean {
  return 'atSteps' in policy ? policy.atSteps.includes(step) : best?.step === step;
}

function isDue(part: CheckpointingState, progress: RunProgress, nowMs: number): boolean {
  const { policy } = part;
  const { step } = progress;
  if (policy === undefined || part.isUnderWay || part.step === step) return false;
  if (part.isRequested) return true;
  if (isRequired(policy, progress)) return true;
  if ('atSteps' in policy) return false;
  if (part.step < 0) return true;
  if ('everySteps' in policy) {
    const { everySteps } = policy;
    return Math.floor(step / everySteps) > Math.floor(part.step / everySteps);
  }
  return nowMs - part.atMs >= Math.max(policy.everyMs, REST * part.elapsedMs);
}

function save(part: CheckpointingState, progress: RunProgress, nowMs: number): CoordinatorEffect {
  part.step = progress.step;
  part.atMs = nowMs;
  part.isUnderWay = true;
  part.isRequested = false;
  return { kind: 'checkpoint', progress, isBack: part.isBack };
}
