import { networkOf } from '../../shared/link/unauthenticated-peers.js';
import { RETRY_AFTER_MS_MAX } from '../../shared/protocol/limits.js';
import type { Hello } from '../../shared/protocol/messages.js';
import { type Member, type Standing, unknownStanding } from '../state/member.js';
import { MACHINES_MAX, type MemberLedger } from '../storage/member-ledger.js';

/*
 * What a run knows of a machine, whichever connection it comes by: how often it was expelled, when it may return, and how
 * many of its answers others have confirmed. A machine is known by what it can prove, its key. One that has none, or a new
 * one, is known by its network and name together if a machine was expelled under them; anybody can take the name of another,
 * so nothing good is known of it. An unknown machine from a network of which one was expelled waits like that one: to make up
 * a key takes no time. A network is an IPv4 address, or the /64 network of an IPv6 address: a host has all of its addresses.
 *
 * A machine that joins and leaves in a loop, and answers nothing, waits longer and longer too.
 */

/** How long an expelled machine is kept out at first; each time twice as long. */
const WAIT_FIRST_MS = 10_000;
const WAIT_MAX_MS = 600_000;
/** Who leaves so soon, without any answer, was on a visit. */
const VISIT_MS = 10_000;
/** So many visits in a row cost nothing: a link may be bad. */
const VISITS_FREE = 4;
/** How long a machine waits after one more, at first and at most. */
const VISIT_WAIT_FIRST_MS = 1000;
const VISIT_WAIT_MAX_MS = 60_000;

/** How often wrong sums of one relay are traced; then it is expelled for them. */
const DOUBTS_MAX = 8;

/** What is known of machines and of networks. */
export interface Standings {
  /** By the key of a machine, and by its network and name. */
  readonly machines: Map<string, Standing>;
  /** By network, how often machines there were expelled, and until when unknown ones are kept out. */
  readonly networks: Map<string, { expulsions: number; barredUntilMs: number }>;
  /** Some machine was expelled; otherwise nobody needs to look for those that were, of many thousands. */
  hasExpelled: boolean;
}

/** Why an expelled machine is expelled. */
export type Offence = 'wrong' | 'silent';

/** @param expulsions what a run that goes on remembers. The waiting time begins anew: the clock does too */
export function initialStandings(expulsions: MemberLedger['expulsions'], nowMs: number): Standings {
  const hasExpelled = Object.keys(expulsions).length > 0;
  const standings: Standings = { machines: new Map(), networks: new Map(), hasExpelled };
  for (const [machine, { wrong, silent }] of Object.entries(expulsions)) {
    const times = wrong + silent;
    const barredUntilMs = nowMs + waitMs(times);
    standings.machines.set(machine, { ...unknownStanding(machine), wrong, silent, barredUntilMs });
    // A machine that has a key is named twice.
    if (isPlace(machine)) barNetwork(standings, networkIn(machine), times, nowMs);
  }
  return standings;
}

/** What is known of the machine that says hello; a new standing when it is unknown. Nothing is remembered: see `onAdmitted`. */
export function standingOf(
  { machines }: Standings,
  { address }: Pick<Member, 'address'>,
  { machine, name }: Pick<Hello, 'machine' | 'name'>,
): Standing {
  const place = placeOf(address, name);
  const identity = machine?.key ?? place;
  const known = [identity, place]
    .flatMap((one) => machines.get(one) ?? [])
    .find((one) => one.machine === identity || offences(one) > 0);
  return known ?? unknownStanding(identity);
}

/** A machine is let in, and remembered from now on. One that is refused is not: it would take the room of others. */
export function onAdmitted(
  { machines }: Standings,
  { standing, address, name }: Pick<Member, 'standing' | 'address' | 'name'>,
): void {
  standing.wasMember = true;
  for (const one of [standing.machine, placeOf(address, name)]) remember(machines, one, standing);
}

function placeOf(address: string, name: string): string {
  return `${networkOf(address)}/${name}`;
}

function networkIn(place: string): string {
  return /^.*?(::\/64)?(?=\/)/s.exec(place)?.[0] ?? place;
}

/** Keys are base64url, which has no slash. */
function isPlace(name: string): boolean {
  return name.includes('/');
}

function offences({ wrong, silent }: Standing): number {
  return wrong + silent;
}

/** Room is made by forgetting a machine that was never expelled, if there is one of which nothing was confirmed. */
function remember(machines: Map<string, Standing>, name: string, standing: Standing): void {
  if (machines.has(name)) return;
  if (machines.size >= MACHINES_MAX) {
    let forgotten: string | undefined;
    for (const [other, known] of machines) {
      if (offences(known) > 0) continue;
      forgotten ??= other;
      if (known.confirmed > 0) continue;
      forgotten = other;
      break;
    }
    if (forgotten !== undefined) machines.delete(forgotten);
  }
  if (machines.size < MACHINES_MAX) machines.set(name, standing);
}

/** Why a machine is kept out for a time, and how long from now, in whole milliseconds. */
export interface Bar {
  readonly reason: string;
  readonly forMs: number;
}

/** Whether a machine is kept out for a time; undefined when it is not. */
export function bar(
  { networks }: Standings,
  standing: Standing,
  { address }: Pick<Member, 'address'>,
  nowMs: number,
): Bar | undefined {
  const times = offences(standing);
  const { barredUntilMs, confirmed, visitsAgainMs } = standing;
  const until = (untilMs: number, reason: string): Bar => ({
    reason,
    // Times are sums of fractions: their difference may exceed the longest wait by a bit.
    forMs: Math.min(Math.ceil(untilMs - nowMs), RETRY_AFTER_MS_MAX),
  });
  if (nowMs < visitsAgainMs)
    return until(
      visitsAgainMs,
      `its machine joins and leaves again and again: it may join again after ${VISIT_WAIT_MAX_MS / 1000} s at most`,
    );
  if (nowMs < barredUntilMs)
    return until(
      barredUntilMs,
      `it was expelled ${times === 1 ? 'once' : `${times} times`}: it may return ${waitMs(times) / 1000} s after that`,
    );
  const at = networks.get(networkOf(address));
  if (at !== undefined && times === 0 && confirmed === 0 && nowMs < at.barredUntilMs)
    return until(
      at.barredUntilMs,
      `a machine at its address was expelled: an unknown one may join ${waitMs(at.expulsions) / 1000} s after that`,
    );
  return undefined;
}

/** A machine is expelled: it waits before it may return, longer each time. */
export function onOffence(
  standings: Standings,
  { standing, address, name }: Pick<Member, 'standing' | 'address' | 'name'>,
  offence: Offence,
  nowMs: number,
): void {
  const { machines } = standings;
  standings.hasExpelled = true;
  standing[offence] += 1;
  standing.confirmed = 0;
  standing.barredUntilMs = nowMs + waitMs(offences(standing));
  // Who comes from there under this name with a new key is taken for it.
  machines.delete(placeOf(address, name));
  // It may have been forgotten meanwhile, for many others have come.
  for (const one of [standing.machine, placeOf(address, name)]) remember(machines, one, standing);
  barNetwork(standings, networkOf(address), 1, nowMs);
}

/** Keeps unknown machines of a network out, after so many more expulsions there. */
function barNetwork({ networks }: Standings, network: string, more: number, nowMs: number): void {
  const at = networks.get(network);
  const expulsions = (at?.expulsions ?? 0) + more;
  if (at !== undefined || networks.size < MACHINES_MAX)
    networks.set(network, { expulsions, barredUntilMs: nowMs + waitMs(expulsions) });
}

/** A remote member has left. @param hasAnswered whether it has answered anything since it joined */
export function onDeparture(
  { standing, joinedAtMs, phase }: Pick<Member, 'standing' | 'joinedAtMs' | 'phase'>,
  hasAnswered: boolean,
  nowMs: number,
): void {
  // It was refused before it was let in, or only watches.
  if (phase !== 'preparing' && phase !== 'ready') return;
  if (hasAnswered || nowMs - joinedAtMs > VISIT_MS) {
    standing.visits = 0;
    return;
  }
  standing.visits += 1;
  if (standing.visits <= VISITS_FREE) return;
  const waitMs = VISIT_WAIT_FIRST_MS * 2 ** (standing.visits - VISITS_FREE - 1);
  standing.visitsAgainMs = nowMs + Math.min(waitMs, VISIT_WAIT_MAX_MS);
}

/**
 * Wrong sums of a relay are traced to those below it. It may name some of them, for each of which it has to prove itself anew, for
 * longer each time: one that lies cannot go on with it.
 * @returns whether it may stay
 */
export function doubt(standing: Standing): boolean {
  standing.confirmed = 0;
  standing.doubts += 1;
  return standing.doubts <= DOUBTS_MAX;
}

/** The machines that were expelled, for the ledger. */
export function expulsionsOf({ machines }: Standings): MemberLedger['expulsions'] {
  return Object.fromEntries(
    [...machines]
      .filter(([, standing]) => offences(standing) > 0)
      .map(([name, { wrong, silent }]) => [name, { wrong, silent }]),
  );
}

/**
 * How many machines were expelled, as far as is known: one that has a key is remembered by its key and by its places, one
 * that has none by its places alone.
 */
export function expelledCount({ machines, hasExpelled }: Standings): number {
  if (!hasExpelled) return 0;
  const names = [...machines].flatMap(([name, standing]) => (offences(standing) > 0 ? name : []));
  const places = names.filter(isPlace).length;
  return Math.max(places, names.length - places);
}

function waitMs(times: number): number {
  return Math.min(WAIT_FIRST_MS * 2 ** (times - 1), WAIT_MAX_MS);
}
