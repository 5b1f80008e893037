import type { Member } from '../state/member.js';

/*
 * Who makes room when a run has as many members as it can: each has a connection, and a system opens so many and no more. A
 * machine that knows the token could take them all. Members that have contributed nothing make room for a newcomer, those of the
 * address with the most of them first; nobody makes room for one more from that address.
 */

/** Connections that are kept for watchers, operators and unauthenticated peers. */
const OTHER_CONNECTIONS = 336;

/** Most members of other machines. @param connectionsMax that can be open */
export function remoteMembersMax(connectionsMax: number): number {
  return Math.max(1, Math.floor(connectionsMax / 4), connectionsMax - OTHER_CONNECTIONS);
}

/**
 * @param members all members, in the order in which they connected
 * @returns `full`: nobody makes room; undefined: there is room
 */
export function whoMakesRoom(
  members: ReadonlyMap<string, Member>,
  newcomer: Pick<Member, 'address'>,
  membersMax: number,
): Member | 'full' | undefined {
  if (members.size < membersMax) return undefined;
  const remote = [...members.values()].filter(
    ({ sharesMemory, phase }) => !sharesMemory && (phase === 'preparing' || phase === 'ready'),
  );
  if (remote.length < membersMax) return undefined;
  const idle = new Map<string, Member[]>();
  for (const member of remote) {
    if (member.samples > 0 || member.standing.confirmed > 0) continue;
    const others = idle.get(member.address);
    if (others === undefined) idle.set(member.address, [member]);
    else others.push(member);
  }
  let most: Member[] = [];
  for (const members of idle.values()) if (members.length > most.length) most = members;
  const latest = most.at(-1);
  return latest === undefined || latest.address === newcomer.address ? 'full' : latest;
}
