import { stepPlace } from '../shared/data/order.js';
import type { Partials } from '../shared/protocol/messages.js';
import { leafCount, type Range, rowsOf } from '../shared/sum/leaves.js';
import { assign, type Share } from './assignment.js';
import type { CoordinatorEffect, CoordinatorMessage, StepMetrics } from './messages.js';
import { strideSteps } from './pace.js';
import { adopt, isCovered, openRound, type Refusal, type Round, takeAnswer } from './round.js';
import type { CoordinatorState, Member } from './state.js';

/*
 * A run's progress: whole strides while everyone shares this memory, single rounds while someone is remote,
 * an evaluation after every epoch, and the end.
 */

/** Starts whatever can be started now. Called after every message; does nothing while an effect is under way. */
export function advance(state: CoordinatorState, effects: CoordinatorEffect[]): void {
  if (state.activity === 'round') continueRound(state, effects);
  if (state.activity !== 'waiting') return;
  if (state.interrupted || state.step === state.settings.steps) {
    state.activity = 'complete';
    effects.push({ kind: 'complete', reason: state.interrupted ? 'interrupted' : 'finished' });
    return;
  }
  const ready = readyMembers(state);
  if (ready.length === 0 || (state.step === 0 && ready.length < state.settings.minWorkers)) return;
  if (ready.every((member) => member.sharesMemory)) startStride(state, ready, effects);
  else startRound(state, ready, effects);
}

/** A stride has ended: its steps are done and their weights are in place. */
export function strided(
  state: CoordinatorState,
  { metrics, elapsedMs }: Extract<CoordinatorMessage, { kind: 'strided' }>,
  effects: CoordinatorEffect[],
): void {
  // Interrupted before its first step: nothing was measured, and whoever asked for it is dealt with now.
  state.activity = 'waiting';
  if (metrics.length > 0) state.msPerStep = elapsedMs / metrics.length;
  const size = batchSize(state);
  for (const share of state.stride) credit(state, share, size, metrics.length);
  state.stride = [];
  for (const sums of metrics) completeStep(state, sums, effects);
}

/** The sum of a round is in the weights. */
export function finished(
  state: CoordinatorState,
  { metrics }: Extract<CoordinatorMessage, { kind: 'finished' }>,
  effects: CoordinatorEffect[],
): void {
  state.round = undefined;
  completeStep(state, metrics, effects);
}

/**
 * A member's partial sums have arrived. Returns why they do not count, if they do not.
 * @param slots where their vectors lie, one for each node
 */
export function answered(
  state: CoordinatorState,
  member: Member,
  { step, range, nodes }: Partials,
  slots: readonly number[],
): Refusal | undefined {
  const { round } = state;
  if (round === undefined) return 'another-step';
  const partials = nodes.map((node, i) => ({ node, slot: slots[i] as number }));
  const refusal = takeAnswer(round, member.id, step, range, partials);
  if (refusal === undefined) credit(state, { memberId: member.id, range }, batchSize(state), 1);
  return refusal;
}

/** The evaluation is done; training goes on. */
export function evaluated(state: CoordinatorState): void {
  state.activity = 'waiting';
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

/** Members that can be handed work, in the order in which they joined. */
function readyMembers(state: CoordinatorState): Member[] {
  return [...state.members.values()].filter((member) => member.phase === 'ready');
}

function completeStep(state: CoordinatorState, metrics: StepMetrics, effects: CoordinatorEffect[]): void {
  const { settings } = state;
  const { batch, samples } = settings;
  const size = batchSize(state);
  state.optimizer = settings.optimizer.update(state.optimizer, settings.learningRate(state.step)).state;
  state.step += 1;
  const members = readyMembers(state).length;
  effects.push({ kind: 'record', step: state.step, batch: size, metrics, members });
  const epochEnds = stepPlace(state.step, samples, batch).position === 0;
  if (epochEnds || state.step === state.settings.steps) {
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
  const stepsToBoundary = Math.min(settings.steps - state.step, Math.max(1, wholeBatches));
  const steps = strideSteps({ stepsToBoundary, msPerStep: state.msPerStep });
  const leaves = leafCount(place.size, settings.leafSize);
  state.stride = handOut({ from: 0, to: leaves }, ready, settings.granule);
  state.activity = 'striding';
  effects.push({
    kind: 'stride',
    step: state.step,
    shares: state.stride,
    scalars: scalarsAhead(state, steps),
  });
}

function startRound(state: CoordinatorState, ready: readonly Member[], effects: CoordinatorEffect[]): void {
  const { settings } = state;
  const leaves = leafCount(batchSize(state), settings.leafSize);
  const shares = handOut({ from: 0, to: leaves }, ready, settings.granule);
  state.round = openRound(state.step, leaves, shares);
  state.activity = 'round';
  sendWork(state, shares, effects);
}

/** Hands orphaned leaves to whoever is ready, and finishes the round once it is covered. */
function continueRound(state: CoordinatorState, effects: CoordinatorEffect[]): void {
  const round = state.round as Round;
  const ready = readyMembers(state);
  if (round.orphaned.length > 0 && ready.length > 0) {
    const idleFirst = byWorkOwed(round, ready);
    const shares = round.orphaned.flatMap((range) => handOut(range, idleFirst, state.settings.granule));
    adopt(round, shares);
    sendWork(state, shares, effects);
  }
  if (!isCovered(round)) return;
  state.activity = 'finishing';
  effects.push({
    kind: 'finish',
    step: state.step,
    arrived: round.arrived,
    scalars: scalarsAhead(state, 1)[0] as readonly number[],
  });
}

/** Those who owe nothing in this round come first, and alone when there are any. */
function byWorkOwed(round: Round, ready: readonly Member[]): readonly Member[] {
  const idle = ready.filter((member) => !round.owed.some((share) => share.memberId === member.id));
  return idle.length > 0 ? idle : ready;
}

function sendWork(state: CoordinatorState, shares: readonly Share[], effects: CoordinatorEffect[]): void {
  for (const share of shares) {
    const member = state.members.get(share.memberId) as Member;
    const fresh = member.sharesMemory || member.weightsStep === state.step;
    member.weightsStep = state.step;
    const message = { kind: 'work', step: state.step, range: share.range, weights: !fresh } as const;
    effects.push({ kind: 'send', id: member.id, message, attachment: fresh ? 'none' : 'weights' });
  }
}

function handOut(range: Range, ready: readonly Member[], granule: number): readonly Share[] {
  const members = ready.map(({ id, threads }) => ({ id, speed: threads }));
  return assign(range, members, granule).shares;
}

/** The optimizer's scalars of the next steps; its state goes on only as steps are done (a stride may be cut short). */
function scalarsAhead(
  { settings, optimizer: now, step }: CoordinatorState,
  steps: number,
): readonly (readonly number[])[] {
  let optimizer = now;
  return Array.from({ length: steps }, (_, i) => {
    const { state, scalars } = settings.optimizer.update(optimizer, settings.learningRate(step + i));
    optimizer = state;
    return scalars;
  });
}

/** Samples of the batch of the step under way. */
function batchSize({ step, settings }: CoordinatorState): number {
  return stepPlace(step, settings.samples, settings.batch).size;
}

/** Counts the samples of a share for its member, for the report at the end. */
function credit(state: CoordinatorState, share: Share, size: number, steps: number): void {
  const member = state.members.get(share.memberId);
  if (member !== undefined) member.samples += rowsOf(share.range, size, state.settings.leafSize).rows * steps;
}
