import { stepPlace } from '../shared/data/order.js';
import { leavesOf, samplesIn, samplesOf } from '../shared/data/step-shape.js';
import { assert } from '../shared/errors.js';
import { leafCount } from '../shared/reduction/tree.js';
import {
  completeRollback,
  keepWhenDue,
  mustConfirmAll,
  onStepVoid,
  onUnverified,
  rollbackStep,
} from './auditing/rollback.js';
import {
  type Activity,
  type CoordinatorState,
  ledgerOf,
  progressOf,
  type TrainingState,
} from './coordinator-state.js';
import { creditSamples, dismiss, machineOf, readyCount, reportAtEnd } from './membership/membership.js';
import { expelledCount } from './membership/standings.js';
import {
  forgetUndone,
  onRolledBack,
  requestSave,
  saveAtEnd,
  saveWhenDue,
  stepsToSave,
} from './policies/checkpoint-policy.js';
import {
  evaluationIsDue,
  isStoppedEarly,
  learningRateAfter,
  onEvaluated as onEvaluationLoss,
  resetEvaluation,
  restoreBest,
  stepsToEvaluation,
} from './policies/evaluation-policy.js';
import { inspectionIsDue, isInspected, stepsToInspection } from './policies/inspection-policy.js';
import { stepsPerExecution } from './policies/steps-per-execution.js';
import { abandonStep, closeStep, onStepFinished } from './scheduling/closing.js';
import {
  continueStep,
  dropStep,
  localShares,
  onMemberLeft,
  startStep,
} from './scheduling/distributed-step.js';
import { proposeLayout } from './scheduling/layout-proposal.js';
import { chooseNextStep } from './scheduling/next-step.js';
import { noteAlone } from './scheduling/placement.js';
import { onMemberReady } from './scheduling/rehearsal.js';
import { dropCheck } from './scheduling/rehearsal-check.js';
import {
  awaitedCount,
  choosesHelpers,
  forgetWeights,
  hasHelp,
  hasLocalStragglers,
  noteUpdate,
  remoteStragglers,
} from './scheduling/scheduling-state.js';
import { type AwaitedWorkers, tellAwaited } from './scheduling/waiting.js';
import type { Member } from './state/member.js';
import type {
  Completion,
  CoordinatorEffect,
  CoordinatorMessage,
  Share,
  StepMetrics,
} from './state/messages.js';
import type { Metrics } from './state/observer.js';

/*
 * A run's progress: whole executions of many steps while everyone shares this memory, single distributed steps while someone is
 * remote, an evaluation after every epoch or so many steps, and the end.
 *
 *                       inspected
 *        +--------------------------------- inspecting
 *        v          inspection is due            ^
 *     waiting -----------------------------------+
 *      | ^ |  all members are local                executed
 *      | | +------------------------------> executing ----------+
 *      | |    someone is remote               all leaves are in |            finished
 *      | +--------------------> distributed-step ----------> finishing ----------+
 *      | |                        | a machine is expelled, and earlier           |
 *      | |      rolled back       v steps rest on its unverified sums            |
 *      | +<------------------ rolling-back                      |                |
 *      | |                                  evaluation is due?  v                v
 *      | +<------------------ evaluating <----------------------+----------------+
 *      |                                                  (else: waiting)
 *      +--> complete           the run is over and its last state is saved
 *
 * In `executing`, `finishing`, `evaluating` and `inspecting` an effect is under way that will report by a message; in
 * `distributed-step` and `rolling-back` members are awaited. `waiting` is left by `advance` alone, which is called after
 * every message, and to none of the steps while an operator has paused the run. A save is under way beside any of these.
 */

/** Starts whatever can be started now. Called after every message; does nothing while an effect is under way. */
export function advance(state: CoordinatorState, nowMs: number): readonly CoordinatorEffect[] {
  const { training } = state;
  const effects: CoordinatorEffect[] = [];
  if (training.activity === 'distributed-step') effects.push(...continueDistributedStep(state, nowMs));
  if (training.activity === 'rolling-back') effects.push(...continueRollback(state, nowMs));
  if (training.activity === 'waiting') effects.push(...startNext(state, nowMs));
  // Whatever saves the run saves what it remembers of its members beside it.
  return effects.map((effect) =>
    effect.kind === 'checkpoint' ? { ...effect, ledger: ledgerOf(state) } : effect,
  );
}

/**
 * A worker can be given work. A local one takes part from the next step on, so an execution under way ends before it. For
 * a remote one the execution goes on, and it is rehearsed after it.
 */
export function onWorkerReady(
  { training, scheduling }: CoordinatorState,
  member: Member,
): readonly CoordinatorEffect[] {
  const isInterrupted = training.activity === 'executing' && member.sharesMemory;
  return [
    ...onMemberReady(scheduling, member.id),
    ...(isInterrupted ? [{ kind: 'interrupt-execution' } as const] : []),
  ];
}

/** A remote worker has answered. Where it takes part in every step it can, an execution without it ends at the next one. */
export function onHelpReturned({ training, scheduling }: CoordinatorState): readonly CoordinatorEffect[] {
  const isNeeded = training.activity === 'executing' && !choosesHelpers(scheduling) && hasHelp(scheduling);
  return isNeeded ? [{ kind: 'interrupt-execution' }] : [];
}

/** An execution has ended: its steps are done and their weights are in place. */
export function onExecuted(
  state: CoordinatorState,
  { metrics, isBroken = false, elapsedMs }: Extract<CoordinatorMessage, { kind: 'executed' }>,
  nowMs: number,
): readonly CoordinatorEffect[] {
  const { training, scheduling } = state;
  leave(state, 'executing');
  training.activity = 'waiting';
  // Interrupted before its first step, it has measured nothing.
  if (metrics.length > 0) {
    training.msPerStep = elapsedMs / metrics.length;
    const steps = metrics.length;
    const leaves = leavesOf(state.settings, training.step) * steps;
    noteAlone(scheduling.placement, { steps, leaves, elapsedMs }, nowMs);
    scheduling.slowestMs = Math.max(scheduling.slowestMs, training.msPerStep);
  }
  for (const share of training.executing) credit(state, share, metrics.length);
  training.executing = [];
  const effects = metrics.flatMap((sums) => completeStep(state, sums));
  if (isBroken || metrics.length > 0) noteUpdate(scheduling, training.step, isBroken);
  if (isBroken) training.diverged = 'step';
  return effects;
}

/** The sum of a distributed step is in the weights. */
export function onFinished(
  state: CoordinatorState,
  { metrics, isBroken = false }: Extract<CoordinatorMessage, { kind: 'finished' }>,
  nowMs: number,
): readonly CoordinatorEffect[] {
  const { training, scheduling } = state;
  leave(state, 'finishing');
  const { wasProven, agreeing } = onStepFinished(scheduling, nowMs);
  if (!isBroken) {
    training.isRechecking = false;
    const effects = completeStep(state, metrics);
    noteUpdate(scheduling, training.step, false);
    return effects;
  }
  noteUpdate(scheduling, training.step, true);
  training.activity = 'waiting';
  const { step } = training;
  onStepVoid(state.auditing, step);
  if (!wasProven) {
    training.isRechecking = true;
    const text = `the sums of step ${step} are not finite: it is computed again, with every answer confirmed`;
    return [{ kind: 'notice', text }];
  }
  training.diverged = 'step';
  if (agreeing === undefined) return [];
  const text = `no computer of this run is trusted: that the sums of step ${step} are not finite is what ${agreeing} or more machines say, the majority of those at work`;
  return [{ kind: 'notice', text }];
}

/** An evaluation has ended. */
export function onEvaluated(state: CoordinatorState, means: Metrics): readonly CoordinatorEffect[] {
  const { training, evaluation } = state;
  leave(state, 'evaluating');
  training.activity = 'waiting';
  // An update may overflow though the gradient does not: after the last step that shows here only.
  if (!Object.values(means).every(Number.isFinite)) training.diverged = 'evaluation';
  else if (means.loss !== undefined) return onEvaluationLoss(evaluation, training.step, means.loss);
  return [];
}

/** An inspection has ended. */
export function onInspected(state: CoordinatorState): readonly CoordinatorEffect[] {
  leave(state, 'inspecting');
  state.training.activity = 'waiting';
  return [];
}

/** Somebody wants the run to end here: the step under way is completed, and its state is saved. */
export function onInterrupt({ training, scheduling }: CoordinatorState): readonly CoordinatorEffect[] {
  training.isInterrupted = true;
  if (training.activity === 'executing') return [{ kind: 'interrupt-execution' }];
  // A distributed step may wait for members for ever; half-done, it leaves no trace in the weights.
  if (training.activity === 'distributed-step') {
    dropStep(scheduling);
    training.activity = 'waiting';
  }
  return [];
}

/** An operator pauses the run: the step under way is completed, and none begins after it. */
export function pause({ training }: CoordinatorState): readonly CoordinatorEffect[] {
  training.isPaused = true;
  return endExecution(training);
}

/** An operator lets a paused run go on. `advance` starts the next step. */
export function resume({ training }: CoordinatorState): void {
  training.isPaused = false;
}

/** An operator asks for a save. @returns why there is none, or the effects */
export function saveNow({
  training,
  checkpointing,
}: CoordinatorState): string | readonly CoordinatorEffect[] {
  return requestSave(checkpointing, training.step) ?? endExecution(training);
}

/** Time has passed: the first execution, of steps whose time nobody knew, ends at the next one, so that progress is told. */
export function endFirstExecution(training: TrainingState): readonly CoordinatorEffect[] {
  return training.msPerStep === undefined ? endExecution(training) : [];
}

/** What was asked for comes to pass between two steps, and not only after an execution of many. */
function endExecution({ activity }: TrainingState): readonly CoordinatorEffect[] {
  return activity === 'executing' ? [{ kind: 'interrupt-execution' }] : [];
}

/**
 * A machine was expelled, and earlier steps rest on its unverified sums: the run goes back to an earlier state, at once when the
 * step under way can be abandoned, or else as soon as the effect under way has reported.
 */
export function onRollbackNeeded(state: CoordinatorState, nowMs: number): readonly CoordinatorEffect[] {
  const { activity } = state.training;
  return activity === 'distributed-step' || activity === 'waiting' ? beginRollback(state, nowMs) : [];
}

/** Everything that may begin between two steps, in this order. */
function startNext(state: CoordinatorState, nowMs: number): readonly CoordinatorEffect[] {
  const { training, inspection, checkpointing, scheduling, auditing, settings } = state;
  if (auditing.rollbackTarget !== undefined)
    return [...beginRollback(state, nowMs), ...continueRollback(state, nowMs)];
  if (inspectionIsDue(inspection, training.step)) {
    training.activity = 'inspecting';
    inspection.inspectedAt = training.step;
    return [{ kind: 'inspect', step: training.step, ahead: isInspected(inspection, training.step) }];
  }
  const completion = completionOf(state);
  if (completion !== undefined) return complete(state, completion, nowMs);
  const { effects, mayGoOn } = saveWhenDue(checkpointing, progressOf(state), nowMs);
  const awaited = workersAwaited(state);
  const mustWait = awaited.here < awaited.wanted || training.isPaused;
  if (mustWait) training.idleSinceMs ??= nowMs;
  if (!mayGoOn || mustWait) return effects;
  const { step } = training;
  const waited = endWait(training, nowMs);
  if (!training.hasBegun || waited.length > 0) effects.push(...waited, { kind: 'begin', step });
  if (!training.hasBegun) effects.push(...begin(state, awaited));
  const leaves = leavesOf(settings, step);
  const batch = { samples: settings.batch, leaves: leafCount(settings.batch, settings.leafSize) };
  // Before any work that carries the state which a round begins with: that of rehearsals too.
  if (settings.local !== undefined)
    effects.push({ kind: 'begin-round', step, scalars: scalarsAhead(state, settings.local.steps) });
  const next = chooseNextStep(scheduling, { step, leaves, batch, stepsLeft: settings.steps - step }, nowMs);
  effects.push(...next.effects, ...proposeLayout(scheduling, { step, leaves }));
  if (!next.isDistributed && !training.isRechecking)
    return [...effects, startExecution(state, next.stepsMax)];
  effects.push(...keepWhenDue(auditing, progressOf(state)));
  training.activity = 'distributed-step';
  const confirmation = { mustConfirmAll: mustConfirmAll(auditing), isRecheck: training.isRechecking };
  effects.push(...startStep(scheduling, { step, leaves, ...confirmation }, nowMs));
  // Second assignees for what is audited, and the first look at what is overdue.
  return [...effects, ...continueDistributedStep(state, nowMs)];
}

/**
 * Workers that the run waits for. Before its first step it waits for as many as were asked for, but not for machines that it
 * has expelled: otherwise a run that resumes without them would stand still.
 */
function workersAwaited({ training, settings, scheduling, membership }: CoordinatorState): AwaitedWorkers {
  const here = awaitedCount(scheduling);
  const asked = training.hasBegun ? 1 : settings.minWorkers;
  const wanted = training.hasBegun ? 1 : Math.max(1, asked - expelledCount(membership.standings));
  return { here, wanted, asked };
}

/** The first step of this session begins. */
function begin({ training }: CoordinatorState, { here, asked }: AwaitedWorkers): CoordinatorEffect[] {
  training.hasBegun = true;
  if (here >= asked) return [];
  const text = `the run begins with ${here} of ${asked} workers (--min-workers), as it has expelled others`;
  return [{ kind: 'notice', text }];
}

/** Time has passed: tells for which workers the run waits. */
export function tellWhoIsAwaited(state: CoordinatorState, nowMs: number): readonly CoordinatorEffect[] {
  const { training, scheduling, settings } = state;
  const isWaiting = training.activity === 'waiting' && !training.hasBegun && !training.isPaused;
  const isAsked = isWaiting && settings.minWorkers > 1;
  return tellAwaited(scheduling, isAsked ? workersAwaited(state) : undefined, nowMs);
}

/** Many steps on the local threads: all of one batch size and one epoch, so a ragged last batch is an execution of its own. */
function startExecution(state: CoordinatorState, stepsMax: number): CoordinatorEffect {
  const { settings, training, scheduling, inspection, checkpointing, evaluation } = state;
  const { step, msPerStep } = training;
  const place = stepPlace(step, settings.samples, settings.batch);
  const wholeBatches = Math.floor((settings.samples - place.position) / settings.batch);
  const stepsToBoundary = Math.min(
    stepsMax,
    settings.steps - step,
    Math.max(1, wholeBatches),
    stepsToInspection(inspection, step),
    stepsToSave(checkpointing, step),
    stepsToEvaluation(evaluation, step),
  );
  const steps = stepsPerExecution({ stepsToBoundary, msPerStep });
  training.executing = localShares(scheduling, leafCount(place.size, settings.leafSize));
  training.activity = 'executing';
  return { kind: 'execute', step, shares: training.executing, scalars: scalarsAhead(state, steps) };
}

function continueDistributedStep(state: CoordinatorState, nowMs: number): readonly CoordinatorEffect[] {
  const { scheduling } = state;
  const { effects, isCovered } = continueStep(scheduling, nowMs);
  if (!isCovered) return effects;
  return [...effects, ...finishDistributedStep(state, nowMs)];
}

/** All leaves are in: the tree is closed over them. */
function finishDistributedStep(state: CoordinatorState, nowMs: number): readonly CoordinatorEffect[] {
  const { training, scheduling, membership, auditing } = state;
  const { step } = training;
  const { effects, chosen } = closeStep(scheduling, nowMs);
  for (const { range, answer, isConfirmed } of chosen) {
    if (!isConfirmed) onUnverified(auditing, machineOf(membership, answer.memberId), step);
    credit(state, { memberId: answer.memberId, range }, 1);
  }
  training.activity = 'finishing';
  const [scalars] = scalarsAhead(state, 1) as [readonly number[]];
  const arrived = chosen.flatMap(({ answer }) => answer.partialSums);
  return [...effects, { kind: 'finish', step, arrived, scalars }];
}

/** The step under way is void. */
function beginRollback(state: CoordinatorState, nowMs: number): readonly CoordinatorEffect[] {
  const { training, scheduling, membership } = state;
  training.activity = 'rolling-back';
  const effects = abandonStep(scheduling);
  // Steps will have the same numbers and other weights: an answer under way must not be taken for one of those.
  for (const id of remoteStragglers(scheduling)) {
    const member = membership.members.get(id) as Member;
    effects.push(...dismiss(membership, member, 'the run rolls back: join again').effects);
    onMemberLeft(scheduling, id, nowMs);
  }
  return effects;
}

/**
 * Goes back, once no thread of this process computes with the weights that are replaced, they are not being saved, and no
 * checkpoint is left that rests on what is undone.
 */
function continueRollback(state: CoordinatorState, nowMs: number): readonly CoordinatorEffect[] {
  const { training, scheduling, auditing, evaluation, checkpointing } = state;
  if (hasLocalStragglers(scheduling) || checkpointing.isUnderWay) return [];
  const undone = forgetUndone(checkpointing, rollbackStep(auditing));
  if (!undone.isDone) return undone.effects;
  const { effects, progress } = completeRollback(auditing);
  training.step = progress.step;
  training.optimizer = progress.optimizer;
  training.activity = 'waiting';
  resetEvaluation(evaluation, progress);
  forgetWeights(scheduling);
  return [...effects, ...onRolledBack(checkpointing, progressOf(state), nowMs)];
}

/** Nobody is waited for any more. @returns tells how long the run has waited, if it has */
function endWait(training: TrainingState, nowMs: number): CoordinatorEffect[] {
  const { idleSinceMs } = training;
  training.idleSinceMs = undefined;
  return idleSinceMs === undefined ? [] : [{ kind: 'waited', ms: nowMs - idleSinceMs }];
}

/** Why the run is over; undefined while it is not. */
function completionOf({ training, settings, evaluation }: CoordinatorState): Completion | undefined {
  if (training.diverged !== undefined) return 'diverged';
  if (training.isInterrupted) return 'interrupted';
  if (training.step === settings.steps) return 'finished';
  return isStoppedEarly(evaluation) ? 'stopped' : undefined;
}

/** The run is over as soon as its last state is saved. */
function complete(state: CoordinatorState, reason: Completion, nowMs: number): readonly CoordinatorEffect[] {
  const { training, checkpointing, evaluation, membership, scheduling } = state;
  const effects: CoordinatorEffect[] = [];
  if (reason !== 'diverged') {
    const save = saveAtEnd(checkpointing, progressOf(state), nowMs);
    if (!save.isDone) return save.effects;
  }
  dropCheck(scheduling);
  effects.push(...endWait(training, nowMs));
  if (reason === 'finished' || reason === 'stopped') effects.push(...restoreBest(evaluation, training.step));
  training.activity = 'complete';
  return [...effects, ...reportAtEnd(membership), { kind: 'complete', reason }];
}

function completeStep(state: CoordinatorState, metrics: StepMetrics): readonly CoordinatorEffect[] {
  const { settings, training, membership, evaluation } = state;
  const batch = samplesOf(settings, training.step);
  const innerSteps = settings.local?.steps ?? 1;
  for (let i = 0; i < innerSteps; i++) {
    const rate = learningRateAfter(evaluation, training.step * innerSteps + i);
    training.optimizer = settings.optimizer.update(training.optimizer, rate).state;
  }
  training.step += 1;
  const { step } = training;
  const record = { kind: 'record', step, batch, metrics, members: readyCount(membership) } as const;
  const isEvaluated = evaluationIsDue(evaluation, step);
  training.activity = isEvaluated ? 'evaluating' : 'waiting';
  return isEvaluated ? [record, { kind: 'evaluate', step }] : [record];
}

/** The optimizer's scalars of the next optimizer steps. Its state goes on only as steps are done: an execution may be cut short. */
function scalarsAhead(
  { settings, training, evaluation }: CoordinatorState,
  steps: number,
): readonly (readonly number[])[] {
  let { optimizer } = training;
  const first = training.step * (settings.local?.steps ?? 1);
  return Array.from({ length: steps }, (_, i) => {
    const next = settings.optimizer.update(optimizer, learningRateAfter(evaluation, first + i));
    optimizer = next.state;
    return next.scalars;
  });
}

/** Counts the samples of a share for its member, in so many steps that are alike. */
function credit(state: CoordinatorState, { memberId, range }: Share, steps: number): void {
  const samples = samplesIn(state.settings, state.training.step, range);
  creditSamples(state.membership, memberId, samples * steps);
}

/** An effect has reported: the coordinator must have been waiting for it. */
function leave({ training }: CoordinatorState, activity: Activity): void {
  assert(training.activity === activity, `${activity} has ended while the run is ${training.activity}`);
}
