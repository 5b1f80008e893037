import type { ReceivedOutcome } from './membership/member-messages.js';
import { expel, type MembershipOutcome, type MembershipState, refuse } from './membership/membership.js';
import { onDeparture } from './membership/standings.js';
import { onPartialSums, onSegment } from './scheduling/answers.js';
import { onMemberLeft } from './scheduling/distributed-step.js';
import { unanswering } from './scheduling/lateness.js';
import { voidCheck } from './scheduling/rehearsal-check.js';
import {
  hasAnswered,
  onCancelled,
  type SchedulingState,
  type WorkerRecord,
} from './scheduling/scheduling-state.js';
import type { Member } from './state/member.js';
import type { CoordinatorEffect } from './state/messages.js';

/*
 * What members send and owe, as far as it concerns only who is there and who computes what: the same for a coordinator and for
 * a relay (relay/transition.ts).
 */

/** The rooms that are concerned. */
export interface MemberRooms {
  readonly membership: MembershipState;
  readonly scheduling: SchedulingState;
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
export function onAcknowledged(
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
export function onSegmentOf(rooms: MemberRooms, member: Member, nowMs: number): readonly CoordinatorEffect[] {
  const { scheduling, membership } = rooms;
  const worker = scheduling.workers.get(member.id) as WorkerRecord;
  if (onSegment(scheduling, worker)) return [];
  const reason = 'it sent more segments of partial sums than it was asked for';
  return withoutMembers(rooms, refuse(membership, member, reason), nowMs);
}

/** A member has sent partial sums: the scheduling room takes them, or the member is refused for them. */
export function onAnswer(
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
export function dropUnanswering(rooms: MemberRooms, nowMs: number): readonly CoordinatorEffect[] {
  const { scheduling, membership } = rooms;
  const { ids, afterMs } = unanswering(scheduling, nowMs);
  return ids.flatMap((id) => {
    const member = membership.members.get(id) as Member;
    const reason = `it was given work, and has not answered for ${Math.round(afterMs / 1000)} s`;
    return withoutMembers(rooms, expel(membership, member, 'silent', reason, nowMs), nowMs);
  });
}
