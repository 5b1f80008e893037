import { stepPlace } from '../shared/data/order.js';
import { leafCount, rowsOf } from '../shared/sum/leaves.js';
import { assign, type Share } from './assignment.js';
import { readyMembers } from './handing.js';
import type { Completion, CoordinatorEffect, CoordinatorMessage, StepMetrics } from './messages.js';
import { strideSteps } from './pace.js';
import { tellAll } from './refusals.js';
import { continueReverting, keepWhenDue } from './reversal.js';
import { batchSize, closeRound, continueRound, startRound } from './rounds.js';
import { isSavedAtLast, saveWhenDue, stepsToSave } from './saving.js';
import type { CoordinatorState, Member } from './state.js';
import { evaluationIsDue, hasStopped, judge, rateAfter, restoreBest, stepsToEvaluation } from './verdict.js';
import { isWatched, stepsToWatch, watchIsDue } from './watching.js';

/*
 * A run's progress: whole strides while everyone shares this memory, single rounds while someone is remote,
 * an evaluation after every epoch or so many steps, and the end.
 */

/** Starts whatever can be started now. Called after every message; does nothing while an effect is under way. */
export function advance(state: CoordinatorState, effects: CoordinatorEffect[]): void {
  if (state.activity === 'round' && continueRound(state, effects)) finishRound(state, effects);
  if (state.activity === 'reverting') continueReverting(state, effects);
  if (state.activity !== 'waiting') return;
  if (watchIsDue(state)) {
    state.activity = 'watching';
    state.watchedAt = state.step;
    effects.push({ kind: 'watch', step: state.step, ahead: isWatched(state) });
    return;
  }
  const completion = completionOf(state);
  if (completion !== undefined) {
    if (completion !== 'diverged' && !isSavedAtLast(state, effects)) return;
    if (completion === 'finished' || completion === 'stopped') restoreBest(state, effects);
    state.activity = 'complete';
    tellAll(state.refusals, effects);
    effects.push({ kind: 'complete', reason: completion });
    return;
  }
  if (!saveWhenDue(state, effects)) return;
  const ready = readyMembers(state);
  if (ready.length === 0 || (!state.hasBegun && ready.length < state.settings.minWorkers)) return;
  state.hasBegun = true;
  if (ready.every((member) => member.sharesMemory)) startStride(state, ready, effects);
  else {
    keepWhenDue(state, effects);
    startRound(state, ready, effects);
  }
}

/** A stride has ended: its steps are done and their weights are in place. */
export function strided(
  state: CoordinatorState,
  { metrics, isBroken = false, elapsedMs }: Extract<CoordinatorMessage, { kind: 'strided' }>,
  effects: CoordinatorEffect[],
): void {
  // Interrupted before its first step: nothing was measured, and whoever asked for it is dealt with now.
  state.activity = 'waiting';
  if (metrics.length > 0) state.msPerStep = elapsedMs / metrics.length;
  const size = batchSize(state);
  for (const share of state.stride) credit(state, share, size, metrics.length);
  state.stride = [];
  for (const sums of metrics) completeStep(state, sums, effects);
  if (isBroken) state.diverged = 'step';
}

/** The sum of a round is in the weights. */
export function finished(
  state: CoordinatorState,
  { metrics, isBroken = false }: Extract<CoordinatorMessage, { kind: 'finished' }>,
  effects: CoordinatorEffect[],
): void {
  state.round = undefined;
  if (!isBroken) return completeStep(state, metrics, effects);
  state.diverged = 'step';
  state.activity = 'waiting';
}

/** The evaluation is done; training goes on. */
export function evaluated(
  state: CoordinatorState,
  { means }: Extract<CoordinatorMessage, { kind: 'evaluated' }>,
  effects: CoordinatorEffect[],
): void {
  state.activity = 'waiting';
  // An update may overflow though the gradient does not: after the last step that shows here only.
  if (!Object.values(means).every(Number.isFinite)) state.diverged = 'evaluation';
  else if (means.loss !== undefined) judge(state, means.loss, effects);
}

/** Someone wants the run to end here: the step under way is completed, its weights are saved. */
export function interrupt(state: CoordinatorState, effects: CoordinatorEffect[]): void {
  state.interrupted = true;
  if (state.activity === 'striding') effects.push({ kind: 'interrupt-stride' });
  // A round may wait for members for ever; its half-done step leaves no trace in the weights.
  if (state.activity === 'round') {
    state.round = undefined;
    state.activity = 'waiting';
  }
}

function completionOf(state: CoordinatorState): Completion | undefined {
  const { diverged, interrupted, step, settings } = state;
  if (diverged !== undefined) return 'diverged';
  if (interrupted) return 'interrupted';
  if (step === settings.steps) return 'finished';
  return hasStopped(state) ? 'stopped' : undefined;
}

function completeStep(state: CoordinatorState, metrics: StepMetrics, effects: CoordinatorEffect[]): void {
  const size = batchSize(state);
  state.optimizer = state.settings.optimizer.update(state.optimizer, rateAfter(state, state.step)).state;
  state.step += 1;
  const members = readyMembers(state).length;
  effects.push({ kind: 'record', step: state.step, batch: size, metrics, members });
  if (evaluationIsDue(state)) {
    state.activity = 'evaluating';
    effects.push({ kind: 'evaluate', step: state.step });
  } else {
    state.activity = 'waiting';
  }
}

function startStride(state: CoordinatorState, ready: readonly Member[], effects: CoordinatorEffect[]): void {
  const { settings } = state;
  const place = stepPlace(state.step, settings.samples, settings.batch);
  // All steps of a stride have the same batch size and lie in one epoch: the ragged last batch is a stride of its own.
  const wholeBatches = Math.floor((settings.samples - place.position) / settings.batch);
  const stepsToBoundary = Math.min(
    settings.steps - state.step,
    Math.max(1, wholeBatches),
    stepsToWatch(state),
    stepsToSave(state),
    stepsToEvaluation(state),
  );
  const steps = strideSteps({ stepsToBoundary, msPerStep: state.msPerStep });
  const leaves = leafCount(place.size, settings.leafSize);
  const threads = ready.map(({ id, name, threads }) => ({ id, name, msPerLeaf: 1 / threads, overheadMs: 0 }));
  state.stride = assign({ from: 0, to: leaves }, threads, settings.granule).shares;
  state.activity = 'striding';
  effects.push({
    kind: 'stride',
    step: state.step,
    shares: state.stride,
    scalars: scalarsAhead(state, steps),
  });
}

/** All leaves are in: the tree is closed over them. */
function finishRound(state: CoordinatorState, effects: CoordinatorEffect[]): void {
  const chosen = closeRound(state, effects);
  const size = batchSize(state);
  for (const { range, answer } of chosen) credit(state, { memberId: answer.memberId, range }, size, 1);
  state.activity = 'finishing';
  const [scalars] = scalarsAhead(state, 1) as [readonly number[]];
  const arrived = chosen.flatMap(({ answer }) => answer.partials);
  effects.push({ kind: 'finish', step: state.step, arrived, scalars });
}

/** The optimizer's scalars of the next steps; its state goes on only as steps are done (a stride may be cut short). */
function scalarsAhead(state: CoordinatorState, steps: number): readonly (readonly number[])[] {
  const { settings, optimizer: now, step } = state;
  let optimizer = now;
  return Array.from({ length: steps }, (_, i) => {
    const next = settings.optimizer.update(optimizer, rateAfter(state, step + i));
    optimizer = next.state;
    return next.scalars;
  });
}

/** Counts the samples of a share for its member, for the report at the end. */
function credit(state: CoordinatorState, share: Share, size: number, steps: number): void {
  const member =
    state.members.get(share.memberId) ?? state.departed.findLast(({ id }) => id === share.memberId);
  if (member !== undefined) member.samples += rowsOf(share.range, size, state.settings.leafSize).rows * steps;
}
