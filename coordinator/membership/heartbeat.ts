import { sha256Hex } from '../../shared/files/sha256.js';
import { CONTROLS_PER_TICK_MAX, type Member, type OpenPing } from '../state/member.js';
import type { CoordinatorEffect } from '../state/messages.js';
import { makeRoomForData } from './data-requests.js';
import { isWaitingForData } from './data-serving.js';
import {
  dismiss,
  expel,
  hangUp,
  type MembershipOutcome,
  type MembershipState,
  NOTHING,
  refuse,
  reportWhenDue,
  say,
} from './membership.js';

/** A peer that has not authenticated within this time is refused. */
const HANDSHAKE_MS = 10_000;
/** A member that has been silent for so long counts as dead: a live one answers a ping at once. */
const SILENCE_MS = 3000;
/**
 * How long a member may take in all to prepare: to compile the run and to check its data; then, to request the data that it is told
 * to fetch. The time in which it waits for data that
 * it requested does not count, however slow its link is.
 */
const PREPARE_MS = 120_000;
/** Pings of one member that may be open: more than are sent until it counts as dead. A pong to an older one is no sign of life. */
const OPEN_PINGS_MAX = 8;
/** Hexadecimal digits of a ping's id: 48 bits, which fit a number and cannot be guessed. */
const PING_ID_DIGITS = 12;

/**
 * Time has passed. Drops silent members, and pings the others.
 * @param secret random characters that are new each time: a member that does not read its pings cannot guess their ids
 * @param isFetching whether a member was told to fetch the data that it lacks
 */
export function onTick(
  part: MembershipState,
  secret: string,
  isFetching: (id: string) => boolean,
  nowMs: number,
): MembershipOutcome {
  const effects: CoordinatorEffect[] = reportWhenDue(part, nowMs);
  const left: string[] = [];
  // This process itself was held up (a lid closed, a job suspended): what the others sent meanwhile is still unread.
  const elapsedMs = nowMs - part.sweptAtMs;
  const wasSuspended = elapsedMs > SILENCE_MS / 2;
  part.sweptAtMs = nowMs;
  if (wasSuspended) {
    for (const member of part.members.values()) member.heardAtMs = nowMs;
    return { effects, left };
  }
  const remove = (outcome: MembershipOutcome): void => {
    effects.push(...outcome.effects);
    left.push(...outcome.left);
  };
  remove(makeRoomForData(part, nowMs));
  for (const member of [...part.members.values()]) {
    if (member.sharesMemory) continue;
    member.due.controls = CONTROLS_PER_TICK_MAX;
    if (member.phase === 'challenged') {
      if (nowMs - member.joinedAtMs > HANDSHAKE_MS) remove(hangUp(part, member, 'authentication timed out'));
    } else if (nowMs - member.heardAtMs > SILENCE_MS) {
      remove(dismiss(part, member, `silent for ${SILENCE_MS / 1000} s`));
    } else if (isOverdue(part, member, isFetching(member.id), elapsedMs)) {
      const isReady = member.phase === 'ready';
      const reason = isReady
        ? `it was told to fetch the data, and has not requested it for ${PREPARE_MS / 1000} s`
        : `it has prepared for ${PREPARE_MS / 1000} s, and is not ready`;
      remove(expel(part, member, 'silent', reason, nowMs));
    } else {
      const id = pingId(secret, member);
      if (member.openPings.push({ id, sentAtMs: nowMs }) > OPEN_PINGS_MAX) member.openPings.shift();
      effects.push(say(member.id, { kind: 'ping', id }));
    }
  }
  return { effects, left };
}

/** Counts time for a member that prepares by itself. @returns whether it has taken too long */
function isOverdue(
  { serving }: MembershipState,
  member: Member,
  isFetching: boolean,
  elapsedMs: number,
): boolean {
  const prepares = member.phase === 'preparing' || (member.phase === 'ready' && isFetching);
  if (prepares && !isWaitingForData(serving, member.id)) member.preparedMs += elapsedMs;
  return prepares && member.preparedMs > PREPARE_MS;
}

/** A pong has arrived. The shortest round trip is that of a link on which nothing waits. It is a sign of life if it answers a ping: its sender has read what was sent before. */
export function onPong(part: MembershipState, member: Member, id: number, nowMs: number): MembershipOutcome {
  const index = member.openPings.findIndex((ping) => ping.id === id);
  if (index >= 0) {
    const { sentAtMs } = member.openPings[index] as OpenPing;
    member.roundTripMs = Math.min(member.roundTripMs ?? Number.POSITIVE_INFINITY, nowMs - sentAtMs);
    member.openPings.splice(0, index + 1);
    member.heardAtMs = nowMs;
    return NOTHING;
  }
  member.due.unasked -= 1;
  return member.due.unasked < 0 ? refuse(part, member, 'answered pings that were not sent') : NOTHING;
}

/** The ids of one tick differ by member, so that one which reads cannot tell them to others. */
function pingId(secret: string, { id }: Member): number {
  return Number.parseInt(sha256Hex(new TextEncoder().encode(`${secret} ${id}`)).slice(0, PING_ID_DIGITS), 16);
}
