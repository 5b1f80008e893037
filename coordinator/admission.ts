import { firstMismatch } from '../shared/kernels/self-test.js';
import type { Hello } from '../shared/protocol/messages.js';
import {
  coordinatorProof,
  type Handshake,
  nodeProof,
  proofsEqual,
  watchToken,
} from '../shared/protocol/proof.js';
import { PROTOCOL_VERSION } from '../shared/protocol/version.js';
import type { Watch } from '../shared/protocol/watch-messages.js';
import { refuse, say } from './dismissal.js';
import type { CoordinatorEffect, CoordinatorMessage } from './messages.js';
import type { CoordinatorState, Member } from './state.js';

/* Who gets in: a stranger is asked to prove itself, and becomes a member, or one who watches. */

/** Answers that nobody asked for, which a member is forgiven: what it said over an earlier connection may still arrive. */
const UNASKED_MAX = 16;
/** Members at one time, strangers included. */
const MEMBERS_MAX = 10_000;

/** Those who watch, at one time. */
export const WATCHERS_MAX = 64;
const WRONG_TOKEN = 'wrong token: copy the whole join line that the run printed';

/** Someone has connected: it is asked to prove itself. */
export function welcomeStranger(
  state: CoordinatorState,
  { id, nonce, sharesMemory }: Extract<CoordinatorMessage, { kind: 'connected' }>,
  effects: CoordinatorEffect[],
): void {
  if (state.members.size >= MEMBERS_MAX) {
    effects.push({ kind: 'drop', id, reason: `the run is full: ${MEMBERS_MAX} members` });
    return;
  }
  const { settings, nowMs } = state;
  state.members.set(id, {
    id,
    sharesMemory,
    nonce,
    phase: 'challenged',
    name: id,
    backend: '',
    threads: 1,
    weightsStep: -1,
    joinedAtMs: nowMs,
    heardAtMs: nowMs,
    samples: 0,
    speed: undefined,
    late: [],
    due: { pongs: UNASKED_MAX, partials: UNASKED_MAX, chunks: settings.data.chunkHashes.length },
  });
  say(id, { kind: 'challenge', version: PROTOCOL_VERSION, run: settings.runId, nonce }, effects);
}

/** Someone proves the right to work, and that its arithmetic is right: it is told what the run is. */
export function admit(
  state: CoordinatorState,
  member: Member,
  hello: Hello,
  effects: CoordinatorEffect[],
): void {
  const { settings } = state;
  const problem = objection(state, member, hello);
  if (problem !== undefined) return refuse(state, member, problem, effects);
  member.phase = 'preparing';
  member.name = hello.name;
  member.backend = hello.backend;
  member.threads = hello.threads;
  const { seed, batch, leafSize, granule, model, data } = settings;
  const proof = coordinatorProof(settings.token, handshakeOf(settings.runId, member, hello));
  effects.push({ kind: 'admit', id: member.id });
  const wire = { seed, batch, leafSize, granule };
  say(member.id, { kind: 'run', memberId: member.id, proof, model, settings: wire, data }, effects);
}

/** Someone proves the right to watch: it is shown the run, and has no part in it. */
export function admitWatcher(
  state: CoordinatorState,
  member: Member,
  watch: Watch,
  effects: CoordinatorEffect[],
): void {
  const token = watchToken(state.settings.token);
  const handshake = handshakeOf(state.settings.runId, member, watch);
  const watchers = [...state.members.values()].filter(({ phase }) => phase === 'watching').length;
  if (member.phase !== 'challenged') return refuse(state, member, 'it said watch out of turn', effects);
  if (!proofsEqual(nodeProof(token, handshake), watch.proof))
    return refuse(state, member, WRONG_TOKEN, effects);
  if (watchers >= WATCHERS_MAX)
    return refuse(state, member, `${WATCHERS_MAX} watch already; try again later`, effects);
  member.phase = 'watching';
  effects.push({ kind: 'show', id: member.id, proof: coordinatorProof(token, handshake) });
}

/** Why a node may not join; undefined when it may. */
function objection({ settings }: CoordinatorState, member: Member, hello: Hello): string | undefined {
  if (member.phase !== 'challenged') return 'it said hello twice';
  const proof = nodeProof(settings.token, handshakeOf(settings.runId, member, hello));
  if (!proofsEqual(proof, hello.proof)) return WRONG_TOKEN;
  if (settings.misfit !== undefined && !member.sharesMemory) return settings.misfit;
  const kernel = firstMismatch(hello.selfTest);
  if (kernel !== undefined) {
    return `its arithmetic differs in the kernel "${kernel}", so its sums would have other bits; try --backend wasm`;
  }
  return undefined;
}

function handshakeOf(run: string, member: Member, { nonce }: Hello | Watch): Handshake {
  return { run, coordinatorNonce: member.nonce, nodeNonce: nonce };
}
