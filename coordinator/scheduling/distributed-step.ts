import { assert } from '../../shared/errors.js';
import { isSameRange, type LeafRange, splitRange } from '../../shared/reduction/tree.js';
import type { Trust } from '../state/member.js';
import type { CoordinatorEffect, Share } from '../state/messages.js';
import { type Assignment, assign, reassign } from './assignment.js';
import { cancelOf } from './cancellations.js';
import { isIdle, preferNotLate, usefulWorkers } from './candidates.js';
import { dispatch } from './dispatch.js';
import { exchangesOf, noteExchanges } from './exchange-log.js';
import { hedge, wakeWhenDue } from './hedging.js';
import { onLate } from './lateness.js';
import { noteDistributed } from './placement.js';
import { rehearseChecked } from './rehearsal.js';
import { compareRight, dropCheck, voidCheck } from './rehearsal-check.js';
import { activeWorkers, readyWorkers, type SchedulingState, type WorkerRecord } from './scheduling-state.js';
import {
  acceptTrusted,
  addRoot,
  type Chosen,
  chosenAnswers,
  type DistributedStep,
  type Doubt,
  isCovered,
  openStep,
  type Recheck,
  releaseMember,
  type Task,
  takeOut,
} from './step-tasks.js';
import { serveAll } from './takers.js';
import { capacities, decayPenalty } from './throughput.js';
import { tellWaiting } from './waiting.js';
import { assignWhole } from './whole-assignment.js';

/*
 * The life of a step in which someone is remote: opened, its leaves dispatched by measured throughput; continued, as often as
 * something happens, until every leaf has an answer (dispatched again when a worker has left, to idle workers as well when
 * one is late, to a second worker where it is audited); closed; ended when its sum is in the weights. It may be abandoned
 * at any time, for it leaves no trace in the weights before it has ended.
 */

/** Shares of a step for local threads alone, which all end together. */
export function localShares(part: SchedulingState, leaves: number): readonly Share[] {
  const locals = readyWorkers(part).filter(({ member }) => member.sharesMemory);
  const threads = locals.map(({ member: { id, name, threads } }) => {
    return { id, name, msPerLeaf: 1 / threads, overheadMs: 0 };
  });
  return assign({ from: 0, to: leaves }, threads, part.settings.leavesPerGroup).shares;
}

type StepRange = { step: number; leaves: number; range?: LeafRange };

/** How the answers of a step are confirmed. */
export interface Confirmation {
  /** No answer of a remote member counts unless it is confirmed. */
  readonly mustConfirmAll: boolean;
  /** The sums of the step were not finite: nothing is concluded from that before this machine, or most of the others, agree. */
  readonly isRecheck: boolean;
}

/**
 * Opens a step: dispatches its leaves.
 * @param leaves of the step's batch
 * @param range those that are computed below this machine; left out: all of them
 */
export function startStep(
  part: SchedulingState,
  { step, leaves, range = { from: 0, to: leaves }, ...confirmation }: StepRange & Confirmation,
  nowMs: number,
): CoordinatorEffect[] {
  assert(part.current === undefined, 'a step is started while another is under way');
  const { settings, assignments, workers, random } = part;
  const effects: CoordinatorEffect[] = [];
  // A member that is late with a replica has been told to give it up.
  const prompt = settings.isLocal
    ? activeWorkers(part)
    : usefulWorkers(part, range.to - range.from, preferNotLate(activeWorkers(part)));
  const inUse = assignments.get(leaves);
  const assignment = settings.isLocal
    ? sameOr(inUse, assignWhole(range, capacities(prompt)))
    : reassign(inUse, range, capacities(prompt), settings.leavesPerGroup);
  if (assignment !== inUse) {
    assignments.set(leaves, assignment);
    effects.push({ kind: 'report', event: { event: 'assignment', step, reason: assignment.reason } });
  }
  const { shardLevel, hasCodec } = settings;
  const { fraction } = settings.audit;
  const isDecidedHere = readyWorkers(part).some(({ member }) => member.sharesMemory);
  // A machine that has everything audited, and computes, believes no other.
  const mustConfirmAll = confirmation.mustConfirmAll || (isDecidedHere && fraction >= 1);
  const doubtIn = doubts(fraction > 0, { ...confirmation, mustConfirmAll });
  const recheck = confirmation.isRecheck ? recheckAmong(activeWorkers(part)) : undefined;
  const codec = hasCodec ? { shardLevel, hasUpdate: part.updateStep === step } : undefined;
  const current = openStep(step, leaves, nowMs, { doubtIn, isDecidedHere, recheck, codec });
  part.current = current;
  for (const { memberId, range } of assignment.shares) {
    const worker = workers.get(memberId) as WorkerRecord;
    for (const part of settings.isLocal ? splitRange(range, range.to - range.from, 1) : [range]) {
      const isAudited = !worker.member.sharesMemory && random.chance(fraction);
      const replicas = recheck?.by === 'majority' ? recheck.agreeing : isAudited ? 2 : 1;
      effects.push(...dispatch(current, addRoot(current, part, replicas), worker, nowMs));
    }
  }
  effects.push(...rehearseChecked(part, current, nowMs));
  for (const worker of prompt) {
    if (worker.throughput !== undefined && isIdle(worker, current))
      worker.throughput = decayPenalty(worker.throughput);
  }
  return effects;
}

/** Leaves that are to be computed in the step under way too, unless they are: they are dispatched when it continues. */
export function addToStep(part: SchedulingState, range: LeafRange): void {
  const current = openOf(part);
  if (rootsIn(current, range).length > 0) return;
  const { settings, random } = part;
  addRoot(current, range, random.chance(settings.audit.fraction) ? 2 : 1);
}

function rootsIn({ roots }: DistributedStep, { from, to }: LeafRange): Task[] {
  return roots.filter(({ range }) => from <= range.from && range.to <= to);
}

/** How answers count, by how far a member is believed. @param isAuditing whether anything is audited */
function doubts(isAuditing: boolean, { mustConfirmAll, isRecheck }: Confirmation): (trust: Trust) => Doubt {
  return (trust) => {
    if (trust === 'trusted') return 'none';
    if (trust === 'convicted' || mustConfirmAll || isRecheck) return 'full';
    return trust === 'unproven' && isAuditing ? 'some' : 'none';
  };
}

/** Who has to agree that the sums of a step are not finite. */
function recheckAmong(workers: readonly WorkerRecord[]): Recheck {
  if (workers.some(({ member }) => member.sharesMemory)) return { by: 'this-machine' };
  const machines = new Set(workers.map(({ member }) => member.standing.machine));
  return { by: 'majority', agreeing: Math.floor(machines.size / 2) + 1 };
}

/** Dispatches what nobody has, or what is overdue. `isCovered`: every leaf has an answer that counts. */
export function continueStep(
  part: SchedulingState,
  nowMs: number,
): { readonly effects: CoordinatorEffect[]; readonly isCovered: boolean } {
  const step = openOf(part);
  const effects = serveAll(part, step, nowMs);
  if (!isCovered(step)) effects.push(...hedge(part, step, nowMs));
  effects.push(...tellWaiting(part, step, nowMs));
  if (isCovered(step)) return { effects, isCovered: true };
  effects.push(...wakeWhenDue(part, step, nowMs));
  return { effects, isCovered: false };
}

/** Closes a step that is covered. @returns the answers that count, each leaf once; others are released */
export function closeStep(
  part: SchedulingState,
  nowMs: number,
): { readonly effects: CoordinatorEffect[]; readonly chosen: readonly Chosen[] } {
  const step = openOf(part);
  assert(isCovered(step), 'a step is closed before all of its leaves are in');
  step.isClosed = true;
  const closed = closeTasks(part, step, nowMs);
  step.isProven = closed.chosen.every(({ isProven }) => isProven);
  return closed;
}

/**
 * Closes a part of the step under way that is wanted before the others; with the last part the step is over.
 * @returns undefined while the part is not covered
 */
export function closeRange(
  part: SchedulingState,
  range: LeafRange,
  nowMs: number,
): ReturnType<typeof closeStep> | undefined {
  const step = openOf(part);
  const roots = rootsIn(step, range);
  if (roots.some((root) => step.open.has(root))) return undefined;
  if (roots.length < step.roots.length) return closeTasks(part, takeOut(step, roots), nowMs);
  const closed = closeStep(part, nowMs);
  onStepFinished(part, nowMs);
  return closed;
}

/** @param closed a step, or the part of it that ends */
function closeTasks(
  part: SchedulingState,
  closed: DistributedStep,
  nowMs: number,
): ReturnType<typeof closeStep> {
  const cancels = noteStragglers(part, closed);
  for (const task of closed.tasks.values())
    for (const { memberId, isHedged } of task.assignees) {
      const worker = part.workers.get(memberId);
      if (isHedged && worker !== undefined) onLate(worker, nowMs);
    }
  const isChecked = part.current === closed || closed.tasks.has(part.check?.sent?.task ?? -1);
  const compares = isChecked ? compareRight(part, closed) : [];
  const { chosen, unused } = chosenAnswers(closed);
  const buffers = unused.map(({ buffer }) => buffer);
  const effects = [...compares, ...cancels];
  return { effects: buffers.length > 0 ? [...effects, { kind: 'release', buffers }] : effects, chosen };
}

/**
 * The step's sum was computed. `wasProven`: all of it rests on what this machine came to as well, or more than half of the
 * machines: of `agreeing` others.
 */
export function onStepFinished(
  part: SchedulingState,
  nowMs: number,
): { readonly wasProven: boolean; readonly agreeing?: number } {
  const { current } = part;
  part.current = undefined;
  if (current === undefined) return { wasProven: true };
  noteDistributed(part.placement, current.leaves, nowMs - current.startedMs);
  // What a replica takes is its steps: what exchanges share hardly shows.
  if (!part.settings.isLocal && current.exchanges > 0)
    noteExchanges(
      part.exchanges,
      exchangesOf(current, (id) => part.workers.get(id)?.throughput?.msPerLeaf ?? 0, nowMs),
      nowMs,
    );
  const { isProven: wasProven, recheck } = current;
  return recheck?.by === 'majority' ? { wasProven, agreeing: recheck.agreeing } : { wasProven };
}

/** The run is over: the step under way is nobody's business any more. */
export function dropStep(part: SchedulingState): void {
  dropCheck(part);
  part.current = undefined;
}

/** Nothing of the step under way counts. */
export function abandonStep(part: SchedulingState): CoordinatorEffect[] {
  const { current } = part;
  if (current === undefined) return [];
  assert(!current.isClosed, 'a step is abandoned while its sum is being computed');
  part.current = undefined;
  dropCheck(part);
  const cancels = noteStragglers(part, current);
  const answers = [...current.tasks.values()].flatMap((task) => task.answers);
  const buffers = answers.flatMap(({ partialSums }) => partialSums.map(({ buffer }) => buffer));
  return buffers.length > 0 ? [...cancels, { kind: 'release', buffers }] : cancels;
}

/** A member is gone: what it owes is dispatched to others when the step continues. */
export function onMemberLeft(part: SchedulingState, id: string, nowMs: number): void {
  for (const known of [part.workers, part.ready, part.able]) known.delete(id);
  voidCheck(part, id);
  const { current } = part;
  if (current === undefined) return;
  for (const task of releaseMember(current, id)) acceptTrusted(current, task, nowMs);
}

/** The time that was asked for has come. */
export function onWoken(part: SchedulingState): void {
  part.wakeAtMs = Number.POSITIVE_INFINITY;
}

function openOf({ current }: SchedulingState): DistributedStep {
  assert(current !== undefined && !current.isClosed, 'no step is open');
  return current;
}

/**
 * A member that still computes a task of this step, or of a part of it, does so in vain. @returns cancellations, where they save
 * time and the member owes nothing else of the step
 */
function noteStragglers(
  { workers, settings, current }: SchedulingState,
  { step, tasks }: DistributedStep,
): CoordinatorEffect[] {
  const answered = new Set([...tasks.values()].flatMap(({ answers }) => answers.map((one) => one.memberId)));
  const owes = (worker: WorkerRecord): boolean =>
    current !== undefined && !current.isClosed && !isIdle(worker, current);
  const late = new Set<WorkerRecord>();
  for (const { range, assignees } of tasks.values()) {
    for (const { memberId, dispatchedMs } of assignees) {
      const worker = workers.get(memberId);
      if (worker === undefined) continue;
      worker.stragglerTasks.push({ step, range, dispatchedMs });
      // Its weights may still be on their way, and the run changes them now; if it has to cancel, they may be dropped with it.
      if (!answered.has(memberId) && !owes(worker)) worker.weightsStep = -1;
      late.add(worker);
    }
  }
  if (!settings.isLocal) return [];
  // Those that owed something else when an earlier part of the step ended.
  for (const worker of workers.values()) {
    const isLeft = worker.stragglerTasks.some(
      (task) => task.step === step && task.rehearsal === undefined && task.cancel === undefined,
    );
    if (late.has(worker) || !isLeft || owes(worker)) continue;
    worker.weightsStep = -1;
    late.add(worker);
  }
  return [...late].filter((worker) => !owes(worker)).map((worker) => cancelOf(worker, step));
}

/** The assignment in use where the new one gives everyone the same. */
function sameOr(inUse: Assignment | undefined, fresh: Assignment): Assignment {
  const isSame =
    inUse?.shares.length === fresh.shares.length &&
    inUse.shares.every(({ memberId, range }, i) => {
      const share = fresh.shares[i] as Share;
      return memberId === share.memberId && isSameRange(range, share.range);
    });
  return inUse !== undefined && isSame ? inUse : fresh;
}
