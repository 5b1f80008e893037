import type { Member } from '../state/member.js';
import type { CoordinatorEffect } from '../state/messages.js';
import { noteSent, requestChunks, takeNext, unreadWhileOthersWait } from './data-serving.js';
import { type MembershipOutcome, type MembershipState, refuse } from './membership.js';

/* The training data for members that prepare: what they request, and what becomes of it. */

/** A member requests chunks. */
export function onNeed(
  part: MembershipState,
  member: Member,
  chunks: readonly number[],
  nowMs: number,
): MembershipOutcome {
  const count = part.settings.data.chunkHashes.length;
  const mayFetch = member.phase === 'preparing' || (member.phase === 'ready' && !member.hasData);
  if (!mayFetch || chunks.some((index) => index >= count))
    return refuse(part, member, 'requested a chunk that does not exist');
  member.due.chunks -= chunks.length;
  if (member.due.chunks < 0) return refuse(part, member, 'requested chunks that it was sent already');
  const problem = requestChunks(part.serving, member.id, chunks);
  if (problem !== undefined) return refuse(part, member, problem);
  return { effects: serveNext(part, nowMs), left: [] };
}

/** A chunk has left this machine, so its member reads what it is sent. */
export function onChunkSent(part: MembershipState, id: string, nowMs: number): CoordinatorEffect[] {
  const member = part.members.get(id);
  if (member === undefined) return [];
  member.heardAtMs = nowMs;
  noteSent(part.serving, id, nowMs);
  return serveNext(part, nowMs);
}

/** The next chunk may be sent. */
export function onDataDue(part: MembershipState, nowMs: number): CoordinatorEffect[] {
  part.serving.isPaused = false;
  return serveNext(part, nowMs);
}

/** Refuses members that do not read their data while others wait for theirs. */
export function makeRoomForData(part: MembershipState, nowMs: number): MembershipOutcome {
  const outcomes = unreadWhileOthersWait(part.serving, nowMs).map((id) =>
    refuse(part, part.members.get(id) as Member, 'does not read the data that it requested'),
  );
  return {
    effects: [...outcomes.flatMap(({ effects }) => effects), ...serveNext(part, nowMs)],
    left: outcomes.flatMap(({ left }) => left),
  };
}

/** Sends the next chunk, if there is one that may be sent now. */
function serveNext(part: MembershipState, nowMs: number): CoordinatorEffect[] {
  const next = takeNext(part.serving, part.settings.data, nowMs);
  return next === undefined ? [] : [{ kind: 'send-chunk', ...next, besideSteps: isAnyoneAble(part) }];
}

/** Whether the run may be computing steps: a member that lacks data takes part in none. */
function isAnyoneAble({ members }: MembershipState): boolean {
  for (const { phase, hasData } of members.values()) if (phase === 'ready' && hasData) return true;
  return false;
}
