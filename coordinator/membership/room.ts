import { networkOf } from '../../shared/link/unauthenticated-peers.js';
import type { Member } from '../state/member.js';

/*
 * Who makes room when a run has as many members as it can: each has a connection, and a system opens so many and no more. A
 * machine that knows the token could take them all. Members that have contributed nothing make room for a newcomer, those of the
 * network with the most of them first; nobody makes room for one more from that network. Where all have contributed, one of
 * the network with the most members makes room for a network with fewer: to compute a leaf once is no right to stay.
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
  const network = networkOf(newcomer.address);
  const idle = largest(remote.filter((member) => member.samples === 0 && member.standing.confirmed === 0));
  if (idle !== undefined) return idle.network === network ? 'full' : (idle.members.at(-1) as Member);
  const most = largest(remote) as Group;
  const own = remote.filter(({ address }) => networkOf(address) === network).length;
  // With one member more than the newcomer's network has then, the next from there would be sent away for it again.
  if (most.members.length < own + 2) return 'full';
  return most.members.reduce((least, member) => (member.samples < least.samples ? member : least));
}

/** Members of one network, in the order in which they connected. */
interface Group {
  readonly network: string;
  readonly members: Member[];
}

/** The network with the most members; undefined: there are no members. */
function largest(members: readonly Member[]): Group | undefined {
  const groups = new Map<string, Group>();
  for (const member of members) {
    const network = networkOf(member.address);
    const group = groups.get(network);
    if (group === undefined) groups.set(network, { network, members: [member] });
    else group.members.push(member);
  }
  let most: Group | undefined;
  for (const group of groups.values())
    if (most === undefined || group.members.length > most.members.length) most = group;
  return most;
}
