import type { PartialSum } from '../../shared/engine/step/partial-sum-addition.js';
import type { PartialSums } from '../../shared/protocol/messages.js';
import { exchangedNodes } from '../../shared/reduction/shards.js';
import { isSameRange, type LeafRange } from '../../shared/reduction/tree.js';
import { trustIn } from '../state/member.js';
import type { Compared, CoordinatorEffect } from '../state/messages.js';
import { commonEndMs } from './assignment.js';
import { isIdle, preferNotLate } from './candidates.js';
import { onAwaited, onPrompt } from './lateness.js';
import { movingMs } from './placement.js';
import { rehearseAgain } from './rehearsal.js';
import { checkedRehearsal, compareAnswer, fits } from './rehearsal-check.js';
import {
  activeWorkers,
  type SchedulingState,
  type WorkerRecord,
  warmUpRehearsals,
} from './scheduling-state.js';
import {
  type Answer,
  acceptTrusted,
  type DistributedStep,
  discardAnswers,
  isDisputed,
  isUncompared,
  owedTask,
  type Refusal,
  refresh,
  result,
  takeAnswer,
} from './step-tasks.js';
import { capacities, expectedMs, loadOf, measure } from './throughput.js';

/** Stands for the parameter in which answers differ, where the hash of one is all that is known. */
const UNKNOWN_PARAMETER = 'any of its sums';

/** Answers to the same task differ. */
export interface Dispute {
  readonly step: number;
  readonly range: LeafRange;
  /** The first parameter in which the bits differ. */
  readonly parameter: string;
  /** Members whose answers are known to be wrong; none while nothing decides. */
  readonly wrong: readonly { readonly memberId: string; readonly hash: string; readonly rightHash: string }[];
}

/**
 * Partial sums of a ready member have arrived. `refusal`: why they do not count.
 * @param buffers where their vectors lie, one for each node of the tree
 */
export function onPartialSums(
  part: SchedulingState,
  worker: WorkerRecord,
  { step, range, nodes, computeMicros, concurrency, parts }: PartialSums,
  buffers: readonly number[],
  nowMs: number,
): { readonly effects: CoordinatorEffect[]; readonly refusal?: Refusal } {
  if (worker.member.phase !== 'ready' || worker.answersDue === 0) return { effects: [], refusal: 'not-owed' };
  worker.answersDue -= 1;
  worker.accounts = parts !== undefined;
  worker.segments = 0;
  worker.retractions = 0;
  const { shardLevel } = part.settings;
  const load = loadOf([range], Math.max(part.current?.leaves ?? 0, range.to), shardLevel);
  const { bytes } = part.settings.exchange;
  const moving = worker.member.sharesMemory
    ? movingMs(bytes, { helpers: part.placement.helpers.size })
    : movingMs(bytes, load);
  // Nothing was expected of a first answer, so it is not late, and its worker is not tried again.
  const isFirst = worker.throughput === undefined;
  const note = (dispatchedMs: number): number => {
    const elapsedMs = nowMs - dispatchedMs;
    const computeMs = computeMicros / 1000;
    const timing = { ...load, computeMs, elapsedMs, movingMs: moving, concurrency };
    worker.throughput = measure(worker.throughput, timing);
    return elapsedMs;
  };
  const late = worker.stragglerTasks.findIndex(
    (task) => task.step === step && isSameRange(task.range, range),
  );
  if (late >= 0) {
    const [task] = worker.stragglerTasks.splice(late, 1);
    if (task?.rehearsal !== undefined && task.rehearsal.warming > 0) {
      // What it was given meanwhile comes first.
      const isFree = part.current === undefined || isIdle(worker, part.current);
      const effects = isFree ? rehearseAgain(part, worker, task, nowMs) : [];
      return { effects, refusal: 'another-step' };
    }
    const isRehearsal = task?.rehearsal !== undefined;
    const { rehearsals } = worker;
    if (isRehearsal) rehearsals.answered += 1;
    const isWarmUp = isRehearsal && rehearsals.answered <= warmUpRehearsals(part);
    // Of several, those behind the first have waited for it.
    if (late === 0 && task !== undefined && !isWarmUp) note(task.dispatchedMs);
    const sent = isRehearsal ? checkedRehearsal(part, worker.member.id, { step, range }) : undefined;
    if (sent !== undefined && !fits(sent, nodes)) return { effects: [], refusal: 'wrong-nodes' };
    if (isRehearsal ? !isWarmUp : isFirst) worker.hasRehearsed = true;
    const isComplete = sent !== undefined && buffers.length === nodes.length;
    const effects = isComplete ? [compareAnswer(worker.member.id, sent, buffers)] : [];
    return { effects, refusal: 'another-step' };
  }
  const { current } = part;
  if (current === undefined || current.isClosed) return { effects: [], refusal: 'another-step' };
  const partialSums = nodes.map((node, i): PartialSum => ({ node, buffer: buffers[i] as number }));
  const { id: memberId, sharesMemory: isTrusted } = worker.member;
  const owed = owedTask(current, { memberId, step, range, nodes });
  if (typeof owed !== 'string' && buffers.length !== nodes.length)
    return { effects: [], refusal: 'incomplete' };
  const doubt = current.doubtIn(trustIn(worker.member));
  const taken = takeAnswer(current, { memberId, isTrusted, doubt, partialSums, parts }, step, range);
  if (typeof taken === 'string') return { effects: [], refusal: taken };
  const { task, assignee } = taken;
  if (!assignee.isHedged || isFirst) onPrompt(worker);
  if (assignee.isAlone) {
    const ownMs = expectedMs(worker.throughput, load);
    const elapsedMs = note(assignee.dispatchedMs);
    // A late answer to a step that is over says nothing of how long answers take here: nobody has waited for it.
    part.slowestMs = Math.max(part.slowestMs, elapsedMs);
    if (!assignee.isHedged && isLast(current))
      onAwaited(worker, elapsedMs, Math.max(ownMs, othersMs(part, worker)), nowMs);
  }
  acceptTrusted(current, task, nowMs);
  if (!isUncompared(task)) return { effects: [] };
  const answers = task.answers
    .filter(({ isClaim }) => !isClaim)
    .map(({ memberId, partialSums }) => ({ memberId, partialSums }));
  return { effects: [{ kind: 'compare', step, task: task.id, answers }] };
}

/** Nobody owes anything in this step. */
function isLast({ held }: DistributedStep): boolean {
  return [...held.values()].every((tasks) => tasks.length === 0);
}

/** How long a step would take without a worker, by what was measured of the others; infinity: there are none. */
function othersMs(part: SchedulingState, worker: WorkerRecord): number {
  const others = preferNotLate(activeWorkers(part).filter((other) => other !== worker));
  return commonEndMs(part.current?.leaves ?? 0, capacities(others));
}

/** A segment of partial sums has come from a member. @returns whether the member was asked for so many */
export function onSegment(part: SchedulingState, worker: WorkerRecord): boolean {
  worker.segments += 1;
  return (
    mayAnswer(worker) && worker.segments <= part.settings.answerSegmentsMax * answersAtOnce(part, worker)
  );
}

/** A member has retracted the segments of an answer, to send them again. @returns whether it may */
export function onRetract(part: SchedulingState, worker: WorkerRecord): boolean {
  worker.retractions += 1;
  worker.segments = 0;
  return mayAnswer(worker) && worker.retractions <= answersAtOnce(part, worker);
}

function mayAnswer({ member, answersDue }: WorkerRecord): boolean {
  return member.phase === 'ready' && answersDue > 0;
}

/** Of how many answers the segments may be on their way: a relay is given several replicas of a round. */
function answersAtOnce({ settings }: SchedulingState, { answersDue }: WorkerRecord): number {
  return settings.isLocal ? answersDue : 1;
}

/** How many vectors a member owes for a task in the step under way, or a checked rehearsal; 0: it owes nothing. */
export function owedVectors(
  part: SchedulingState,
  id: string,
  { step, range }: Pick<PartialSums, 'step' | 'range'>,
): number {
  const { current } = part;
  const checked = checkedRehearsal(part, id, { step, range });
  if (checked !== undefined) return checked.nodes.length;
  if (current === undefined || current.isClosed || current.step !== step) return 0;
  const isOwedRange = current.held.get(id)?.some((task) => isSameRange(task.range, range)) ?? false;
  return isOwedRange ? exchangedNodes(range, current.leaves, current.codec?.shardLevel).length : 0;
}

/** Whether partial sums can count: a member owes exactly these, in the step under way. Room is made for no others. */
export function isOwed(part: SchedulingState, id: string, { step, range, nodes }: PartialSums): boolean {
  const { current } = part;
  const checked = checkedRehearsal(part, id, { step, range });
  if (checked !== undefined) return fits(checked, nodes);
  if (current === undefined || current.isClosed) return false;
  return typeof owedTask(current, { memberId: id, step, range, nodes }) !== 'string';
}

/** What comes of a comparison. */
export interface Comparison {
  /** Undefined when all answers are equal. */
  readonly dispute?: Dispute;
  /** Remote members whose answers were confirmed. */
  readonly confirmed: readonly string[];
}

/**
 * Answers to one task were compared. Where they differ, the one that was computed on the coordinator's own machine is right,
 * or else the first that two agree on; as long as there is neither, the step asks another member when it continues.
 */
export function onCompared(
  { current }: SchedulingState,
  { step, task: id, hashes, parameter }: Compared,
): Comparison {
  const task = current?.step === step ? current.tasks.get(id) : undefined;
  if (current === undefined || task === undefined) return { confirmed: [] };
  for (const answer of task.answers)
    if (!answer.isClaim) answer.hash = hashes.find(({ memberId }) => memberId === answer.memberId)?.hash;
  const right = isDisputed(task) ? result(task) : undefined;
  // A decided dispute needs no further confirmation.
  if (right !== undefined) task.replicas = 1;
  refresh(current, task);
  const isWrong = ({ hash }: Answer): boolean => right !== undefined && hash !== right.hash;
  // Members in doubt that agree have confirmed nothing where this machine decides.
  const isDecided = result(task) !== undefined;
  const confirmed: string[] = [];
  for (const answer of task.answers) {
    if (!isDecided || isWrong(answer) || answer.isTrusted || answer.isClaim || answer.isConfirmed) continue;
    answer.isConfirmed = true;
    confirmed.push(answer.memberId);
  }
  if (!isDisputed(task)) return { confirmed };
  const members = task.answers.filter((answer) => isWrong(answer) && !answer.isClaim);
  // Only what a relay says is wrong: see inquiry.ts.
  if (right !== undefined && members.length === 0) return { confirmed };
  const wrong = members.map(({ memberId, hash }) => {
    return { memberId, hash: hash as string, rightHash: right?.hash as string };
  });
  return {
    dispute: { step, range: task.range, parameter: parameter ?? UNKNOWN_PARAMETER, wrong },
    confirmed,
  };
}

/**
 * Takes out all that a member has answered in this step; it is dispatched to others when the step continues. A step that is
 * closed keeps it: its sum is being computed, and can be undone when it is in the weights.
 */
export function discardResults({ current }: SchedulingState, memberId: string): CoordinatorEffect[] {
  if (current === undefined || current.isClosed) return [];
  const buffers = discardAnswers(current, memberId).map(({ buffer }) => buffer);
  return [{ kind: 'release', buffers }];
}
