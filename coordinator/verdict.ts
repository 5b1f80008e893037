import { stepPlace } from '../shared/data/order.js';
import { isOutOfPatience, waited } from '../shared/optim/early-stopping.js';
import { afterEvaluation } from '../shared/optim/plateau.js';
import type { RunProgress } from './checkpoint.js';
import type { CoordinatorEffect } from './messages.js';
import type { CoordinatorState } from './state.js';
import type { EvaluationPolicy } from './verdict-state.js';

/*
 * What evaluations decide: which weights are the best, how large the learning rate is after a plateau, and when a run has
 * learned all that it will. All of it follows from what evaluations came to and is part of what a run saves.
 */

/** What the run remembers from step to step. */
export function progressOf({ step, optimizer, best, plateau, stopping }: CoordinatorState): RunProgress {
  return { step, optimizer, best, ...(plateau && { plateau }), ...(stopping && { stopping }) };
}

/** The learning rate of the step that follows so many. */
export function rateAfter({ settings, plateau }: CoordinatorState, stepsDone: number): number {
  return settings.learningRate(stepsDone) * (plateau?.multiple ?? 1);
}

/** Whether the state is to be evaluated: in its rhythm, and after the last step. */
export function evaluationIsDue({ settings, step }: CoordinatorState): boolean {
  const { evaluateEvery, samples, batch, steps } = settings;
  if (step === steps) return true;
  return evaluateEvery === undefined
    ? stepPlace(step, samples, batch).position === 0
    : step % evaluateEvery === 0;
}

/** Steps until the rate may change; at least 1. Ends of epochs are kept by strides anyway. */
export function stepsToEvaluation({ settings: { evaluateEvery }, step }: CoordinatorState): number {
  return evaluateEvery === undefined ? Number.POSITIVE_INFINITY : evaluateEvery - (step % evaluateEvery);
}

/** An evaluation came to a finite mean loss. */
export function judge(state: CoordinatorState, loss: number, effects: CoordinatorEffect[]): void {
  const { settings, step } = state;
  if (loss < (state.best?.loss ?? Number.POSITIVE_INFINITY)) {
    state.best = { step, loss };
    if (keepsBest(settings)) effects.push({ kind: 'keep-best' });
  }
  if (settings.plateau !== undefined && state.plateau !== undefined) {
    const { settings: plateau, baseRate } = settings.plateau;
    const before = state.plateau.multiple;
    state.plateau = afterEvaluation(plateau, baseRate, state.plateau, loss);
    if (state.plateau.multiple < before) {
      const rate = Number(rateAfter(state, step).toPrecision(6));
      const text = `step ${step}: no evaluation is better than before: the learning rate falls to ${rate}`;
      effects.push({ kind: 'notice', text });
    }
  }
  if (settings.earlyStopping !== undefined && state.stopping !== undefined)
    state.stopping = waited(settings.earlyStopping, state.stopping, loss);
}

/** Whether the evaluations so far have ended the run. */
export function hasStopped({ settings: { earlyStopping }, stopping }: CoordinatorState): boolean {
  return earlyStopping !== undefined && stopping !== undefined && isOutOfPatience(earlyStopping, stopping);
}

/** Puts the best weights in place, behind all that is saved. */
export function restoreBest(state: CoordinatorState, effects: CoordinatorEffect[]): void {
  const { settings, best, step } = state;
  if (!keepsBest(settings) || best === null) return;
  state.restored = best.step;
  if (best.step < step) effects.push({ kind: 'restore-best' });
}

/** Whether a run keeps the weights of its best evaluation beside those that it goes on with. */
function keepsBest({ earlyStopping }: EvaluationPolicy): boolean {
  return earlyStopping?.restoreBest ?? false;
}
