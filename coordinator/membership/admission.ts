import { firstMismatch } from '../../shared/kernels/self-test/self-test.js';
import { isMachineProven } from '../../shared/link/machine-key.js';
import { type Hello, PROTOCOL_VERSION } from '../../shared/protocol/messages.js';
import {
  coordinatorProof,
  type Handshake,
  proofsEqual,
  watchToken,
  workerProof,
} from '../../shared/protocol/proof.js';
import type { Watch } from '../../shared/protocol/watch-messages.js';
import { CONTROLS_PER_TICK_MAX, type Member, UNASKED_MAX, unknownStanding } from '../state/member.js';
import type { CoordinatorEffect, CoordinatorMessage } from '../state/messages.js';
import { isBanned } from './bans.js';
import { type MembershipOutcome, type MembershipState, NOTHING, refuse, say } from './membership.js';
import { remoteMembersMax, whoMakesRoom } from './room.js';
import { bar, onAdmitted, standingOf } from './standings.js';

/* Who gets in: a peer is asked for a proof of the token, and becomes a member, or a watcher. */

/** Peers at one time, unauthenticated ones included. */
const MEMBERS_MAX = 10_000;

/** Watchers at one time, and operators: they have places of their own. */
export const WATCHERS_MAX = 64;
/** When a machine may try again for which a run has no room. */
const FULL_MS = 30_000;
/** Why a machine may not work for the run. */
export const BANNED = 'the operator of this run has banned this machine';
export const OPERATORS_MAX = 16;
const CLOSED = 'an operator has closed this run to newcomers; ask for it to be opened';
const WRONG_TOKEN = 'wrong token: copy the whole join line that the run printed';

/** A peer has connected. Challenges it; `member` is left out when the run is full. A peer that connects again starts anew. */
export function onConnected(
  { members, settings }: MembershipState,
  { id, nonce, sharesMemory, address }: Extract<CoordinatorMessage, { kind: 'connected' }>,
  nowMs: number,
): { readonly effects: CoordinatorEffect[]; readonly member?: Member } {
  if (members.size >= MEMBERS_MAX)
    return { effects: [{ kind: 'drop', id, reason: `the run is full: ${MEMBERS_MAX} members` }] };
  const member: Member = {
    id,
    sharesMemory,
    nonce,
    address,
    // Until it says who it is.
    standing: unknownStanding(id),
    phase: 'challenged',
    hasData: false,
    name: id,
    backend: '',
    threads: 1,
    joinedAtMs: nowMs,
    heardAtMs: nowMs,
    preparedMs: 0,
    roundTripMs: undefined,
    samples: 0,
    isOperator: false,
    openPings: [],
    due: {
      unasked: UNASKED_MAX,
      chunks: settings.data.chunkHashes.length,
      controls: CONTROLS_PER_TICK_MAX,
    },
  };
  members.set(id, member);
  const challenge = { kind: 'challenge', version: PROTOCOL_VERSION, run: settings.runId, nonce } as const;
  return { effects: [say(id, challenge)], member };
}

/** A peer proves the right to work and that its arithmetic is right. It is told what the run is. */
export function onHello(
  part: MembershipState,
  member: Member,
  hello: Hello,
  nowMs: number,
): MembershipOutcome {
  const { settings, standings, bans } = part;
  const problem = objection(part, member, hello);
  if (problem !== undefined) return refuse(part, member, problem);
  // From here on it has proven that it knows the token: it is named, also where it is refused.
  member.name = hello.name;
  if (!member.sharesMemory) {
    member.standing = standingOf(standings, member, hello);
    if (isBanned(bans, member, hello)) return refuse(part, member, BANNED);
    const barred = bar(standings, member.standing, member, nowMs);
    if (barred !== undefined) return refuse(part, member, barred.reason, barred.forMs);
    if (part.isClosed && !member.standing.wasMember) return refuse(part, member, CLOSED);
  }
  const { connectionsMax } = settings;
  const most = connectionsMax === undefined ? MEMBERS_MAX : remoteMembersMax(connectionsMax);
  const maker = member.sharesMemory ? undefined : whoMakesRoom(part.members, member, most);
  if (maker === 'full') return refuse(part, member, `the run is full: it has ${most} members`, FULL_MS);
  const made =
    maker === undefined
      ? NOTHING
      : refuse(
          part,
          maker,
          `the run is full, and ${maker.samples === 0 ? 'it has computed nothing' : 'most of its members are of this network'}: it makes room for others`,
          FULL_MS,
        );
  if (!member.sharesMemory) onAdmitted(standings, member);
  member.phase = 'preparing';
  member.backend = hello.backend;
  member.threads = hello.threads;
  const { seed, batch, leafSize, leavesPerGroup, local, model, data, compression } = settings;
  const proof = coordinatorProof(settings.token, handshakeOf(settings.runId, member, hello));
  const isAudited = settings.audit.fraction > 0 || settings.accounts === true;
  const wire = { seed, batch, leafSize, leavesPerGroup, ...(local && { local }) };
  const run = {
    kind: 'run',
    memberId: member.id,
    ...{ proof, model, settings: wire, data },
    ...(compression && { compression }),
    ...(isAudited && ({ audits: true } as const)),
  } as const;
  return {
    effects: [...made.effects, { kind: 'admit', id: member.id }, say(member.id, run)],
    left: made.left,
  };
}

/** A peer proves the right to watch, or to operate the run. It sees the run's progress and computes nothing. */
export function onWatch(part: MembershipState, member: Member, watch: Watch): MembershipOutcome {
  const { settings, members } = part;
  const handshake = handshakeOf(settings.runId, member, watch);
  if (member.phase !== 'challenged') return refuse(part, member, 'sent "watch" out of turn');
  const { operateToken } = settings;
  const proves = (token: string): boolean => proofsEqual(workerProof(token, handshake), watch.proof);
  const isOperator = operateToken !== undefined && proves(operateToken);
  const token = isOperator ? operateToken : watchToken(settings.token);
  if (!isOperator && !proves(token)) return refuse(part, member, WRONG_TOKEN);
  const alike = [...members.values()].filter(
    (other) => other.phase === 'watching' && other.isOperator === isOperator,
  );
  const [most, who] = isOperator ? [OPERATORS_MAX, 'operators'] : [WATCHERS_MAX, 'watchers'];
  if (alike.length >= most)
    return refuse(part, member, `${most} ${who} are connected already: try again later`);
  member.phase = 'watching';
  member.isOperator = isOperator;
  const proof = coordinatorProof(token, handshake);
  const right = isOperator ? 'operate' : 'watch';
  return { effects: [{ kind: 'admit-watcher', id: member.id, proof, right }], left: [] };
}

/** Why a worker may not join; undefined when it may. */
function objection({ settings }: MembershipState, member: Member, hello: Hello): string | undefined {
  if (member.phase !== 'challenged') return 'sent "hello" twice';
  const proof = workerProof(settings.token, handshakeOf(settings.runId, member, hello));
  if (!proofsEqual(proof, hello.proof)) return WRONG_TOKEN;
  if (
    hello.machine !== undefined &&
    !isMachineProven(hello.machine, handshakeOf(settings.runId, member, hello))
  )
    return 'it has not proven that it has the key of its machine';
  const kernel = firstMismatch(hello.selfTest);
  if (kernel !== undefined)
    return `the self-test of kernel "${kernel}" differs, so its sums would have other bits: try --backend wasm`;
  return undefined;
}

function handshakeOf(run: string, member: Member, { nonce }: Hello | Watch): Handshake {
  return { run, coordinatorNonce: member.nonce, workerNonce: nonce };
}
