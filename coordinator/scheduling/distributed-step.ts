import { assert } from '../../shared/errors.js';
import { isSameRange, type LeafRange, splitRange } from '../../shared/reduction/tree.js';
import type { Trust } from '../state/member.js';
import type { CoordinatorEffect, Share } from '../state/messages.js';
import { type Assignment, assign, reassign } from './assignment.js';
import { isIdle, preferNotLate, usefulWorkers } from './candidates.js';
import { dispatch } from './dispatch.js';
import { hedge, wakeWhenDue } from './hedging.js';
import { rehearseChecked } from './rehearsal.js';
import { dropCheck, voidCheck } from './rehearsal-check.js';
import {
  activeWorkers,
  openOf,
  readyWorkers,
  type SchedulingState,
  type WorkerRecord,
} from './scheduling-state.js';
import {
  acceptTrusted,
  addRoot,
  type Doubt,
  isCovered,
  openStep,
  type Recheck,
  releaseMember,
  rootsIn,
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

/** The run is over: the step under way is nobody's business any more. */
export function dropStep(part: SchedulingState): void {
  dropCheck(part);
  part.current = undefined;
  part.inquiries = [];
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
