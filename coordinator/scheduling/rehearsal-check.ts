import type { PartialSum } from '../../shared/engine/step/partial-sum-addition.js';
import { isSameRange, type LeafRange, type TreeNode } from '../../shared/reduction/tree.js';
import { trustIn } from '../state/member.js';
import type { Compared, CoordinatorEffect } from '../state/messages.js';
import type { SentRehearsal } from './rehearsal-state.js';
import type { SchedulingState, WorkerRecord } from './scheduling-state.js';
import { type Answer, type DistributedStep, equalTo, result } from './step-tasks.js';

/*
 * Rehearsals whose answers are checked. The first rehearsal of a member is of leaves that this machine computes anyway in the
 * step under way, or that are audited, and of weights that do not change while they are sent. So its answer must have the bits of
 * the one that counts, whenever it comes. A member whose answer has others is expelled before any sum of it has counted.
 *
 * A member can tell a rehearsal from work, so a right answer is no reason to believe it more. One rehearsal is checked at a time: only
 * one copy of the weights is held. Where nobody who is believed has the same sums, the rehearsal only shows how fast a member is.
 */

/** Stands for the task of a checked rehearsal in comparisons: no task of a step has this id. */
export const CHECK = -1;
/** Another member's rehearsal is checked when one was not answered for so long. */
const CHECKED_MS = 10_000;

/** A wrong answer to a rehearsal. */
export interface WrongRehearsal {
  readonly memberId: string;
  readonly step: number;
  readonly range: LeafRange;
  readonly hash: string;
  readonly rightHash: string;
}

/** Whether the next rehearsal of a worker can be checked: no other is, and it has the data that its sums are of. */
export function mayCheck(
  part: SchedulingState,
  { rehearsals, member }: WorkerRecord,
  nowMs: number,
): boolean {
  const isFree = part.check === undefined || nowMs - part.check.sinceMs > CHECKED_MS;
  return member.hasData && !rehearsals.isChecked && isFree;
}

/** The next distributed step has a rehearsal of this worker that is checked. */
export function planCheck(
  part: SchedulingState,
  { member }: WorkerRecord,
  leaves: number,
  nowMs: number,
): void {
  const nothing = { sent: undefined, rightHash: undefined, hash: undefined };
  part.check = { memberId: member.id, sinceMs: nowMs, leaves, ...nothing };
}

/** The worker whose checked rehearsal belongs to the step that begins; undefined when there is none. */
export function workerToCheck({ check, workers }: SchedulingState): WorkerRecord | undefined {
  return check?.sent === undefined && check !== undefined ? workers.get(check.memberId) : undefined;
}

/** Nothing can be said of the rehearsal of this member any more: it may compute with other weights. */
export function voidCheck(part: SchedulingState, memberId: string): void {
  if (part.check?.memberId === memberId) part.check = undefined;
}

/** Nothing can be said of any rehearsal any more: the step under way is void, or the run is over. */
export function dropCheck(part: SchedulingState): void {
  part.check = undefined;
}

/** What a member was sent for its checked rehearsal, if these sums are of it. */
export function checkedRehearsal(
  { check, workers }: SchedulingState,
  id: string,
  { step, range }: { readonly step: number; readonly range: LeafRange },
): SentRehearsal | undefined {
  const sent = check?.memberId === id && check.hash === undefined ? check.sent : undefined;
  if (sent === undefined || workers.get(id)?.deliveries !== sent.deliveries) return undefined;
  return sent.step === step && isSameRange(sent.range, range) ? sent : undefined;
}

/** Whether sums are of the nodes of the tree that a rehearsal has. */
export function fits({ nodes }: SentRehearsal, offered: readonly TreeNode[]): boolean {
  return (
    nodes.length === offered.length &&
    nodes.every(({ level, index }, i) => level === offered[i]?.level && index === offered[i]?.index)
  );
}

/** A step is closed: asks for the hash of the right sums, if it has any. To be done before they are added up. */
export function compareRight(part: SchedulingState, current: DistributedStep): CoordinatorEffect[] {
  const { check, workers } = part;
  // A step whose sum was not finite is closed twice, and its tasks are others the second time.
  if (check?.sent?.step !== current.step || check.rightHash !== undefined) return [];
  const { range } = check.sent;
  const same = current.tasks.get(check.sent.task);
  const task = same && isSameRange(same.range, range) ? same : undefined;
  const answer = task && result(task);
  const isBelieved = ({ memberId }: Answer): boolean => {
    const worker = workers.get(memberId);
    return worker !== undefined && memberId !== check.memberId && trustIn(worker.member) === 'proven';
  };
  const equal = task === undefined || answer === undefined ? [] : equalTo(answer, task);
  const isRight = equal.some(({ isTrusted }) => isTrusted) || equal.filter(isBelieved).length > 1;
  if (answer === undefined || !isRight) {
    part.check = undefined;
    return [];
  }
  return [compareWith(current.step, answer.memberId, answer.partialSums)];
}

/** The answer to a checked rehearsal has arrived: asks for its hash. To be done before its buffers are released. */
export function compareAnswer(
  memberId: string,
  { step, nodes }: SentRehearsal,
  buffers: readonly number[],
): CoordinatorEffect {
  return compareWith(
    step,
    memberId,
    nodes.map((node, i) => ({ node, buffer: buffers[i] as number })),
  );
}

function compareWith(step: number, memberId: string, partialSums: readonly PartialSum[]): CoordinatorEffect {
  return { kind: 'compare', step, task: CHECK, answers: [{ memberId, partialSums }] };
}

/** A hash has come. @returns the answer to the rehearsal if both are there and it is wrong */
export function onHash(part: SchedulingState, { step, hashes }: Compared): WrongRehearsal | undefined {
  const { check } = part;
  const [{ memberId, hash } = {}] = hashes;
  if (check?.sent?.step !== step || hash === undefined) return undefined;
  if (memberId === check.memberId) check.hash = hash;
  else check.rightHash = hash;
  if (check.hash === undefined || check.rightHash === undefined) return undefined;
  part.check = undefined;
  const worker = part.workers.get(check.memberId);
  if (worker !== undefined) worker.rehearsals.isChecked = true;
  if (check.hash === check.rightHash) return undefined;
  const { range } = check.sent;
  return { memberId: check.memberId, step, range, hash: check.hash, rightHash: check.rightHash };
}
