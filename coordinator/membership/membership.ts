import type { CoordinatorToWorker } from '../../shared/protocol/messages.js';
import type { Member } from '../state/member.js';
import type { CoordinatorEffect } from '../state/messages.js';
import type { RunSettings } from '../state/run-settings.js';
import type { MemberLedger } from '../storage/member-ledger.js';
import { type Bans, initialBans } from './bans.js';
import { type DataServing, endServing, noDataServing } from './data-serving.js';
import {
  describeAtWork,
  noPresence,
  notePresence,
  type PresenceLog,
  reportPresence,
  reportPresenceWhenDue,
} from './presence-log.js';
import {
  noRefusals,
  noteRefusal,
  type RefusalLog,
  reportRefusals,
  reportRefusalsWhenDue,
} from './refusal-log.js';
import { doubt, initialStandings, type Offence, onOffence, type Standings } from './standings.js';

/** Departed members that the report at the end names; of more, the one with the fewest samples is dropped. */
const DEPARTED_MAX = 1000;

/** What a peer must match and what a new member is told. */
export interface JoinSettings
  extends Pick<
    RunSettings,
    | 'model'
    | 'data'
    | 'runId'
    | 'token'
    | 'operateToken'
    | 'seed'
    | 'batch'
    | 'leafSize'
    | 'leavesPerGroup'
    | 'local'
    | 'compression'
    | 'banned'
    | 'connectionsMax'
    | 'audit'
  > {
  /** What people are told when nobody is at work; left out: that the run waits. */
  readonly whenNobody?: string;
  /** Relays account for their sums, also if nothing is audited here: somebody above asks for it. */
  readonly accounts?: boolean;
}

/** The membership room's part of the state: who is connected, and who was. */
export interface MembershipState {
  readonly settings: JoinSettings;
  /** By id, in the order in which they connected. */
  readonly members: Map<string, Member>;
  readonly departed: Member[];
  readonly refusals: RefusalLog;
  readonly presence: PresenceLog;
  readonly serving: DataServing;
  /** What is known of machines, also of those that are gone. */
  readonly standings: Standings;
  /** Machines that the operator keeps out. */
  readonly bans: Bans;
  /** When silent members were last looked for. */
  sweptAtMs: number;
  /** An operator has closed the run to machines that have not been members before. */
  isClosed: boolean;
}

/** What a handler of this room wants done, and what other rooms have to know. */
export interface MembershipOutcome {
  readonly effects: CoordinatorEffect[];
  /** Members that are gone: what they owe goes to others. */
  readonly left: readonly string[];
}

/** Nothing is to be done. */
export const NOTHING: MembershipOutcome = { effects: [], left: [] };

/** A run that nobody has joined. @param ledger what a run that goes on remembers */
export function initialMembership(
  settings: JoinSettings,
  nowMs: number,
  { expulsions, banned }: Pick<MemberLedger, 'expulsions' | 'banned'> = { expulsions: {}, banned: [] },
): MembershipState {
  return {
    settings,
    members: new Map(),
    departed: [],
    refusals: noRefusals(nowMs),
    presence: noPresence(nowMs),
    serving: noDataServing(),
    standings: initialStandings(expulsions, nowMs),
    bans: initialBans([...(settings.banned ?? []), ...banned]),
    sweptAtMs: nowMs,
    isClosed: false,
  };
}

/** How many members can be given work, in words. */
export function atWork(part: MembershipState): string {
  return describeAtWork(readyCount(part), part.settings.whenNobody);
}

/** Number of members that can be given work. */
export function readyCount({ members }: MembershipState): number {
  let count = 0;
  for (const { phase } of members.values()) if (phase === 'ready') count += 1;
  return count;
}

/** A member, also one that has left; undefined when it is forgotten. */
export function memberOf({ members, departed }: MembershipState, id: string): Member | undefined {
  return members.get(id) ?? departed.findLast((one) => one.id === id);
}

/** Identifies the machine of a member, also of one that has left; the member's id when it is forgotten. */
export function machineOf(part: MembershipState, id: string): string {
  return memberOf(part, id)?.standing.machine ?? id;
}

/** Others have confirmed answers of these members. */
export function onConfirmed(part: MembershipState, ids: readonly string[]): void {
  for (const id of ids) {
    const member = memberOf(part, id);
    if (member !== undefined) member.standing.confirmed += 1;
  }
}

/**
 * A relay's sums are wrong, and it says who below it has computed them: it has to prove itself anew.
 * @returns whether it may stay for that
 */
export function onDoubt(part: MembershipState, id: string): boolean {
  const member = memberOf(part, id);
  return member !== undefined && doubt(member.standing);
}

/** A member is expelled: its machine may not return at once, and its link is closed if it is still there. */
export function expel(
  part: MembershipState,
  member: Member,
  offence: Offence,
  reason: string,
  nowMs: number,
): MembershipOutcome {
  onOffence(part.standings, member, offence, nowMs);
  return part.members.has(member.id) ? refuse(part, member, reason) : NOTHING;
}

/** Counts samples for a member, also for one that has left meanwhile. */
export function creditSamples(part: MembershipState, id: string, samples: number): void {
  const member = memberOf(part, id);
  if (member !== undefined) member.samples += samples;
}

/** The link of a peer is gone, whether it was a member or not. */
export function onDisconnected(part: MembershipState, id: string, reason: string): MembershipOutcome {
  const member = part.members.get(id);
  if (member === undefined) return NOTHING;
  part.members.delete(id);
  endServing(part.serving, id);
  if (member.phase !== 'ready') return { effects: [], left: [id] };
  remember(part, member);
  const text = (): string => `${member.name} left (${reason}); ${atWork(part)}`;
  return { effects: notePresence(part.presence, { name: member.name, change: 'left' }, text), left: [id] };
}

/**
 * Tells a peer why it is refused, and closes its link.
 * @param retryAfterMs when another attempt may succeed, in whole milliseconds; left out: it is useless
 */
export function refuse(
  part: MembershipState,
  member: Member,
  reason: string,
  retryAfterMs?: number,
): MembershipOutcome {
  const { effects, left } = dismiss(part, member, reason);
  return {
    effects: [
      ...noteRefusal(part.refusals, member.name, reason),
      say(member.id, { kind: 'refuse', reason, ...(retryAfterMs !== undefined && { retryAfterMs }) }),
      ...effects,
    ],
    left,
  };
}

/** Closes the link of a peer that may try again, as a machine may that was suspended; reported as a refusal. */
export function hangUp(part: MembershipState, member: Member, reason: string): MembershipOutcome {
  const { effects, left } = dismiss(part, member, reason);
  return { effects: [...noteRefusal(part.refusals, member.name, reason), ...effects], left };
}

/** Closes the link of a member, which may join again. */
export function dismiss(part: MembershipState, member: Member, reason: string): MembershipOutcome {
  const { effects, left } = onDisconnected(part, member.id, reason);
  return { effects: [{ kind: 'drop', id: member.id, reason }, ...effects], left };
}

/** Reports refusals, arrivals and departures that were only counted, when it is time to. */
export function reportWhenDue(part: MembershipState, nowMs: number): CoordinatorEffect[] {
  return [
    ...reportRefusalsWhenDue(part.refusals, nowMs),
    ...reportPresenceWhenDue(part.presence, atWork(part), nowMs),
  ];
}

/** The run is over: reports what was only counted. */
export function reportAtEnd(part: MembershipState): CoordinatorEffect[] {
  return [...reportRefusals(part.refusals), ...reportPresence(part.presence, atWork(part))];
}

/** A message that carries no bytes. */
export function say(id: string, message: CoordinatorToWorker): CoordinatorEffect {
  return { kind: 'send', id, message, attachment: 'none' };
}

function remember({ departed }: MembershipState, member: Member): void {
  if (departed.length >= DEPARTED_MAX) {
    const least = departed.reduce((one, other) => (other.samples < one.samples ? other : one));
    departed.splice(departed.indexOf(least), 1);
  }
  departed.push(member);
}
