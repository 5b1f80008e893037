import type { Hello } from '../../shared/protocol/messages.js';
import type { Member } from '../state/member.js';
import { MACHINES_MAX } from '../storage/member-ledger.js';

/*
 * Machines that the operator of the run keeps out, from the start (`--ban`) or while it goes on. A machine is named by what
 * its workers are called, or by its key. A ban is remembered with the run.
 */

/** What the banned machines are called: keys, names, and addresses with names. */
export type Bans = Set<string>;

/** @param banned what the settings and the ledger name */
export function initialBans(banned: readonly string[]): Bans {
  return new Set(banned);
}

/** Whether a machine is kept out that says hello. */
export function isBanned(
  bans: Bans,
  { standing }: Pick<Member, 'standing'>,
  { name, machine }: Pick<Hello, 'name' | 'machine'>,
): boolean {
  return [name, machine?.key, standing.machine].some((one) => one !== undefined && bans.has(one));
}

/** The remote members, also some that have left, that the operator means by this name, key of a machine, or id of a member. */
export function membersMeant(
  {
    members,
    departed,
  }: { readonly members: ReadonlyMap<string, Member>; readonly departed: readonly Member[] },
  who: string,
): Member[] {
  return [...members.values(), ...departed].filter(
    ({ id, name, standing, sharesMemory, phase }) =>
      !sharesMemory &&
      phase !== 'challenged' &&
      phase !== 'watching' &&
      [id, name, standing.machine].includes(who),
  );
}

/**
 * Keeps machines out from now on: those of the members that are meant, and any that comes under this name or key later. The id
 * of a member names its machine alone.
 */
export function addBan(bans: Bans, who: string, meant: readonly Member[]): void {
  const isId = meant.some(({ id }) => id === who);
  for (const one of [...(isId ? [] : [who]), ...meant.map(({ standing }) => standing.machine)])
    if (bans.size < MACHINES_MAX) bans.add(one);
}
