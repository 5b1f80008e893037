import { announceDispute, announceInquiry, expulsionBelow, type WrongAnswer } from './auditing/audit.js';
import { onConnected } from './membership/admission.js';
import { onChunkSent, onDataDue } from './membership/data-requests.js';
import { onTick } from './membership/heartbeat.js';
import { onGarbled, onReceived, type ReceivedOutcome } from './membership/member-messages.js';
import {
  expel,
  type MembershipOutcome,
  type MembershipState,
  memberOf,
  onConfirmed,
  onDisconnected,
  onDoubt,
  refuse,
  say,
} from './membership/membership.js';
import { onDeparture } from './membership/standings.js';
import { discardResults, onCompared, onPartialSums, onRetract, onSegment } from './scheduling/answers.js';
import { onCancelled } from './scheduling/cancellations.js';
import { onMemberLeft, onWoken } from './scheduling/distributed-step.js';
import { beginInquiry, settleInquiries } from './scheduling/inquiry.js';
import { unanswering } from './scheduling/lateness.js';
import { CHECK, onHash, voidCheck } from './scheduling/rehearsal-check.js';
import {
  accounts,
  hasAnswered,
  onMemberConnected,
  type SchedulingState,
  type WorkerRecord,
} from './scheduling/scheduling-state.js';
import type { Member } from './state/member.js';
import type { Compared, CoordinatorEffect, MemberMessage } from './state/messages.js';
import type { Evidence } from './state/observer.js';

/*
 * What members send and owe, as far as it concerns only who is there and who computes what: the same for a coordinator
 * (transition.ts) and for a relay (relay/transition.ts).
 */

/** The rooms that are concerned. */
export interface MemberRooms {
  readonly membership: MembershipState;
  readonly scheduling: SchedulingState;
}

/** What a message of members comes to: what is done about it, and what the coordinator or the relay decides itself. */
interface MemberOutcome {
  readonly effects: readonly CoordinatorEffect[];
  /** This member can be given work from now on. */
  readonly ready?: Member | undefined;
  /** This member has sent partial sums. */
  readonly answered?: Member;
  /** An operator asks for something. */
  readonly control?: ReceivedOutcome['control'];
  /** Answers that are wrong. Their members are not expelled yet. */
  readonly wrong?: readonly WrongAnswer[];
}

/** A message of members and what they owe. */
export function onMemberMessage(rooms: MemberRooms, message: MemberMessage, nowMs: number): MemberOutcome {
  const { membership, scheduling } = rooms;
  switch (message.kind) {
    case 'connected': {
      const { effects, member } = onConnected(membership, message, nowMs);
      if (member !== undefined) onMemberConnected(scheduling, member);
      return { effects };
    }
    case 'received': {
      const received = onReceived(membership, message, nowMs);
      const { ready, answer, segmentOf, retracting, cancelled, control } = received;
      const effects = withoutMembers(rooms, received, nowMs);
      if (answer !== undefined)
        return { effects: onAnswer(rooms, answer, message.buffers, nowMs), answered: answer.member };
      if (segmentOf !== undefined) return { effects: onSegmentOf(rooms, segmentOf, nowMs) };
      if (retracting !== undefined) return { effects: onRetractBy(rooms, retracting, nowMs) };
      if (cancelled !== undefined) return { effects: onAcknowledged(rooms, cancelled, nowMs) };
      return { effects, ready, control };
    }
    case 'garbled': {
      const outcome = onGarbled(membership, message.id, message.reason);
      return { effects: withoutMembers(rooms, outcome, nowMs) };
    }
    case 'disconnected': {
      const outcome = onDisconnected(membership, message.id, message.reason);
      return { effects: withoutMembers(rooms, outcome, nowMs) };
    }
    case 'chunk-sent':
      return { effects: onChunkSent(membership, message.id, nowMs) };
    case 'data-due':
      return { effects: onDataDue(membership, nowMs) };
    case 'tick': {
      const isFetching = (id: string): boolean => scheduling.workers.get(id)?.isFetching ?? false;
      const outcome = onTick(membership, message.secret, isFetching, nowMs);
      return { effects: [...withoutMembers(rooms, outcome, nowMs), ...dropUnanswering(rooms, nowMs)] };
    }
    case 'compared':
      return onComparison(rooms, message);
    case 'woken':
      onWoken(scheduling);
      return { effects: [] };
    default:
      return message satisfies never;
  }
}

/** Answers to a task, or to a rehearsal that is checked, were compared. */
function onComparison({ membership, scheduling }: MemberRooms, message: Compared): MemberOutcome {
  if (message.task === CHECK) {
    const wrong = onHash(scheduling, message);
    return { effects: [], wrong: wrong === undefined ? [] : [wrong] };
  }
  const { dispute, confirmed } = onCompared(scheduling, message);
  onConfirmed(membership, confirmed);
  if (dispute === undefined) return { effects: [] };
  const { wrong, ...place } = dispute;
  if (wrong.length === 0) return { effects: [announceDispute(dispute)] };
  return { effects: [], wrong: wrong.map((one) => ({ ...place, ...one })) };
}

/**
 * A member's answer is wrong: if the member is a relay that says who has computed it, that is looked into, and the member stays as
 * long as it may. @returns undefined: the member answers for it
 */
export function inquire(
  { membership, scheduling }: MemberRooms,
  wrong: WrongAnswer,
  nowMs: number,
): readonly CoordinatorEffect[] | undefined {
  const { memberId, parameter } = wrong;
  const name = memberOf(membership, memberId)?.name ?? memberId;
  // A wrong rehearsal is of no step that is open: what the relay computes from now on is confirmed, and shows who was wrong.
  const isRehearsal = parameter === undefined;
  if (isRehearsal) return accounts(scheduling, memberId) && onDoubt(membership, memberId) ? [] : undefined;
  if (!beginInquiry(scheduling, wrong, nowMs)) return undefined;
  const mayStay = onDoubt(membership, memberId);
  if (!mayStay) return undefined;
  return [announceInquiry(wrong, name), ...discardResults(scheduling, memberId)];
}

/** What an inquiry has come to, for the run or for the relay that is above. */
export type Conclusion =
  /** The relay answers for its sums. */
  | { readonly kind: 'relay'; readonly wrong: WrongAnswer }
  /** Somebody below the relay was wrong, and the relay is told. */
  | { readonly kind: 'below'; readonly relayId: string; readonly event: Evidence };

/** Inquiries that have come to an end. */
export function concludeInquiries(
  { membership, scheduling }: MemberRooms,
  nowMs: number,
): { readonly effects: readonly CoordinatorEffect[]; readonly conclusions: readonly Conclusion[] } {
  const { effects, results } = settleInquiries(scheduling, nowMs);
  const conclusions: Conclusion[] = [];
  for (const { wrong, culprits } of results) {
    const relayId = wrong.memberId;
    if (culprits.length === 0) conclusions.push({ kind: 'relay', wrong });
    for (const culprit of culprits) {
      const relay = memberOf(membership, relayId)?.name ?? relayId;
      const { event, message, text } = expulsionBelow(wrong, culprit, relay);
      effects.push({ kind: 'notice', text });
      if (membership.members.has(relayId)) effects.push(say(relayId, message));
      conclusions.push({ kind: 'below', relayId, event });
    }
  }
  return { effects, conclusions };
}

/** What members that are gone owe goes to others. */
export function withoutMembers(
  { scheduling }: MemberRooms,
  { effects, left }: MembershipOutcome,
  nowMs: number,
): readonly CoordinatorEffect[] {
  for (const id of left) {
    const worker = scheduling.workers.get(id);
    if (worker !== undefined && !worker.member.sharesMemory)
      onDeparture(worker.member, hasAnswered(worker), nowMs);
    onMemberLeft(scheduling, id, nowMs);
  }
  return effects;
}

/** A member has given up what it owed; one that was not asked to is refused. */
function onAcknowledged(
  rooms: MemberRooms,
  { member, message: { step } }: NonNullable<ReceivedOutcome['cancelled']>,
  nowMs: number,
): readonly CoordinatorEffect[] {
  const { scheduling, membership } = rooms;
  // A rehearsal may be among what it has given up.
  voidCheck(scheduling, member.id);
  if (onCancelled(scheduling.workers.get(member.id) as WorkerRecord, step)) return [];
  return withoutMembers(rooms, refuse(membership, member, 'sent "cancelled" without being asked'), nowMs);
}

/** A member has sent a segment. One that sends more than it was asked for is refused. */
function onSegmentOf(rooms: MemberRooms, member: Member, nowMs: number): readonly CoordinatorEffect[] {
  const { scheduling, membership } = rooms;
  const worker = scheduling.workers.get(member.id) as WorkerRecord;
  if (onSegment(scheduling, worker)) return [];
  const reason = 'it sent more segments of partial sums than it was asked for';
  return withoutMembers(rooms, refuse(membership, member, reason), nowMs);
}

/** A member has retracted segments. One that does so again and again is refused. */
function onRetractBy(rooms: MemberRooms, member: Member, nowMs: number): readonly CoordinatorEffect[] {
  const { scheduling, membership } = rooms;
  const worker = scheduling.workers.get(member.id) as WorkerRecord;
  if (onRetract(scheduling, worker)) return [];
  const reason = 'it retracted more partial sums than it was asked for';
  return withoutMembers(rooms, refuse(membership, member, reason), nowMs);
}

/** A member has sent partial sums: the scheduling room takes them, or the member is refused for them. */
function onAnswer(
  rooms: MemberRooms,
  { member, message }: NonNullable<ReceivedOutcome['answer']>,
  buffers: readonly number[],
  nowMs: number,
): readonly CoordinatorEffect[] {
  const { scheduling, membership } = rooms;
  const worker = scheduling.workers.get(member.id) as WorkerRecord;
  const { effects, refusal } = onPartialSums(scheduling, worker, message, buffers, nowMs);
  if (refusal === undefined) return effects;
  const release = { kind: 'release', buffers } as const;
  const isCompare = ({ kind }: CoordinatorEffect): boolean => kind === 'compare';
  // Others were faster, or it was a rehearsal: no fault of the member's.
  if (refusal === 'another-step' || refusal === 'superfluous')
    return [...effects.filter(isCompare), release, ...effects.filter((effect) => !isCompare(effect))];
  const outcome = refuse(membership, member, `its partial sums do not match its task (${refusal})`);
  return [release, ...withoutMembers(rooms, outcome, nowMs)];
}

/** Expels members that were given work and never answer. */
function dropUnanswering(rooms: MemberRooms, nowMs: number): readonly CoordinatorEffect[] {
  const { scheduling, membership } = rooms;
  const { ids, afterMs } = unanswering(scheduling, nowMs);
  return ids.flatMap((id) => {
    const member = membership.members.get(id) as Member;
    const reason = `it was given work, and has not answered for ${Math.round(afterMs / 1000)} s`;
    return withoutMembers(rooms, expel(membership, member, 'silent', reason, nowMs), nowMs);
  });
}
