import type { CoordinatorEffect, CoordinatorMessage } from './messages.js';
import type { CoordinatorState } from './state.js';
import { progressOf } from './verdict.js';

/*
 * When a run is saved: before its first step, as often as its settings say, after every evaluation that is better than
 * all before, and last of all. A save is a copy now and a file later: steps go on beside it, and the next save waits
 * until it is done.
 */

/** Saves by the clock are at least so many times as far apart as one takes: disks and processors have other work. */
const REST = 20;

/**
 * Has the state saved, if it is time to. To be called while nothing else is under way.
 * @returns whether the run may go on
 */
export function saveWhenDue(state: CoordinatorState, effects: CoordinatorEffect[]): boolean {
  const { saving, settings, step } = state;
  if (isDue(state)) save(state, effects);
  // States that were asked for one by one are not passed over.
  const { atSteps } = { atSteps: [] as readonly number[], ...settings.checkpoints };
  return saving.step === step || !atSteps.includes(step);
}

/** Has the last state of a run saved. @returns whether that is done, well or not */
export function isSavedAtLast(state: CoordinatorState, effects: CoordinatorEffect[]): boolean {
  const { saving, settings, step } = state;
  if (settings.checkpoints === undefined) return true;
  if (saving.isUnderWay) return false;
  if (saving.step === step) return true;
  save(state, effects);
  return false;
}

/** The run has gone back: its state is saved again, and what was saved of later steps must not be resumed from. */
export function saveBack(state: CoordinatorState, effects: CoordinatorEffect[]): void {
  if (state.settings.checkpoints === undefined) return;
  state.saving.isBack = true;
  save(state, effects);
}

/** Steps until the state is to be saved; at least 1. */
export function stepsToSave({ settings: { checkpoints }, step }: CoordinatorState): number {
  if (checkpoints === undefined || 'everyMs' in checkpoints) return Number.POSITIVE_INFINITY;
  if ('everySteps' in checkpoints) return checkpoints.everySteps - (step % checkpoints.everySteps);
  return (checkpoints.atSteps.find((next) => next > step) ?? Number.POSITIVE_INFINITY) - step;
}

/** A save has come to its end. */
export function saved(
  state: CoordinatorState,
  message: Extract<CoordinatorMessage, { kind: 'saved' }>,
  effects: CoordinatorEffect[],
): void {
  const { saving } = state;
  saving.isUnderWay = false;
  saving.elapsedMs = state.nowMs - saving.atMs;
  const { step, outcome } = message;
  if ('problem' in outcome) {
    const rest =
      saving.safeStep < 0 ? 'there is none yet' : `the latest that is safe is of step ${saving.safeStep}`;
    const text = `no checkpoint of step ${step}: ${outcome.problem}; ${rest}`;
    if (saving.problem !== outcome.problem) effects.push({ kind: 'notice', text });
    saving.problem = outcome.problem;
    return;
  }
  if (saving.problem !== undefined)
    effects.push({ kind: 'notice', text: `checkpoints can be saved again: step ${step} is safe` });
  saving.problem = undefined;
  saving.isBack = false;
  saving.safeStep = step;
  effects.push({ kind: 'report', event: { event: 'checkpoint', step, ...outcome } });
}

function isDue({ saving, settings: { checkpoints }, step, best, nowMs }: CoordinatorState): boolean {
  if (checkpoints === undefined || saving.isUnderWay || saving.step === step) return false;
  if ('atSteps' in checkpoints) return checkpoints.atSteps.includes(step);
  if (saving.step < 0 || best?.step === step) return true;
  if ('everySteps' in checkpoints) {
    const { everySteps } = checkpoints;
    return Math.floor(step / everySteps) > Math.floor(saving.step / everySteps);
  }
  return nowMs - saving.atMs >= Math.max(checkpoints.everyMs, REST * saving.elapsedMs);
}

function save(state: CoordinatorState, effects: CoordinatorEffect[]): void {
  const { saving, step, nowMs } = state;
  saving.step = step;
  saving.atMs = nowMs;
  saving.isUnderWay = true;
  effects.push({ kind: 'checkpoint', progress: progressOf(state), isBack: saving.isBack });
}
