import { firstMismatch } from '../shared/kernels/self-test.js';
import type { CoordinatorToNode, Hello, Partials } from '../shared/protocol/messages.js';
import { coordinatorProof, type Handshake, nodeProof, proofsEqual } from '../shared/protocol/proof.js';
import { PROTOCOL_VERSION } from '../shared/protocol/version.js';
import { takeAtItsWord } from './hedging.js';
import type { CoordinatorEffect, CoordinatorMessage } from './messages.js';
import { noteRefusal, tellRefusals } from './refusals.js';
import { releaseMember } from './round.js';
import { answered } from './rounds.js';
import type { CoordinatorState, Member } from './state.js';

/** A stranger proves who it is within this time, or is dropped. */
const HANDSHAKE_MS = 10_000;
/** A member that has been silent for so long is taken for dead; a live one answers a ping at once. */
const SILENCE_MS = 3000;
/** Answers that nobody asked for, which a member is forgiven: what it said over an earlier connection may still arrive. */
const UNASKED_MAX = 16;
/** Members at one time, strangers included. */
const MEMBERS_MAX = 10_000;

type Received = Extract<CoordinatorMessage, { kind: 'received' }>;

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

/** A member has said something. Whoever breaks the protocol is refused; the run goes on. */
export function receive(state: CoordinatorState, received: Received, effects: CoordinatorEffect[]): void {
  const member = state.members.get(received.id);
  if (member === undefined) {
    effects.push({ kind: 'release', slots: received.slots });
    return;
  }
  member.heardAtMs = state.nowMs;
  const { message } = received;
  switch (message.kind) {
    case 'hello':
      return admit(state, member, message, effects);
    case 'need':
      return sendChunks(state, member, message.chunks, effects);
    case 'ready':
      return becomeReady(state, member, effects);
    case 'partials':
      return takePartials(state, member, received, message, effects);
    case 'leave':
    case 'failed':
      return dismiss(state, member, message.reason, effects);
    case 'pong':
      member.due.pongs -= 1;
      if (member.due.pongs < 0) refuse(state, member, 'it answered pings that nobody sent', effects);
      return;
    default:
      message satisfies never;
  }
}

/** Someone sent what is no message of this protocol: it is told so and put out; the run goes on. */
export function garbled(
  state: CoordinatorState,
  { id, reason }: Extract<CoordinatorMessage, { kind: 'garbled' }>,
  effects: CoordinatorEffect[],
): void {
  const member = state.members.get(id);
  if (member !== undefined) refuse(state, member, reason, effects);
}

/** A member's link is gone: what it owes goes to others. */
export function memberLeft(
  state: CoordinatorState,
  id: string,
  reason: string,
  effects: CoordinatorEffect[],
): void {
  const member = state.members.get(id);
  if (member === undefined) return;
  state.members.delete(id);
  if (state.round !== undefined)
    for (const task of releaseMember(state.round, id)) takeAtItsWord(state, state.round, task);
  if (member.phase !== 'ready') return;
  state.departed.push(member);
  const atWork = readyCount(state);
  const rest = atWork > 0 ? `${atWork} at work` : 'nobody is at work: the run waits for someone to join';
  effects.push({ kind: 'notice', text: `${member.name} left (${reason}); ${rest}` });
}

/** Time has passed: drops who is silent, and asks the others for a sign of life. */
export function sweep(state: CoordinatorState, effects: CoordinatorEffect[]): void {
  tellRefusals(state.refusals, state.nowMs, effects);
  // This process itself was held up (a lid closed, a job suspended): what the others said meanwhile is still unread.
  const { nowMs } = state;
  const wasAway = nowMs - state.sweptAtMs > SILENCE_MS / 2;
  state.sweptAtMs = nowMs;
  if (wasAway) {
    for (const member of state.members.values()) member.heardAtMs = nowMs;
    return;
  }
  for (const member of [...state.members.values()]) {
    if (member.sharesMemory) continue;
    if (member.phase === 'challenged') {
      const tooLong = nowMs - member.joinedAtMs > HANDSHAKE_MS;
      if (tooLong) refuse(state, member, 'no proof of the token in time', effects);
    } else if (nowMs - member.heardAtMs > SILENCE_MS) {
      dismiss(state, member, `silent for ${SILENCE_MS / 1000} s`, effects);
    } else {
      member.due.pongs += 1;
      say(member.id, { kind: 'ping', id: state.pings++ }, effects);
    }
  }
}

function admit(state: CoordinatorState, member: Member, hello: Hello, effects: CoordinatorEffect[]): void {
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

/** Why a node may not join; undefined when it may. */
function objection({ settings }: CoordinatorState, member: Member, hello: Hello): string | undefined {
  if (member.phase !== 'challenged') return 'it said hello twice';
  const proof = nodeProof(settings.token, handshakeOf(settings.runId, member, hello));
  if (!proofsEqual(proof, hello.proof)) return 'wrong token: copy the whole join line that the run printed';
  if (settings.misfit !== undefined && !member.sharesMemory) return settings.misfit;
  const kernel = firstMismatch(hello.selfTest);
  if (kernel !== undefined) {
    return `its arithmetic differs in the kernel "${kernel}", so its sums would have other bits; try --backend wasm`;
  }
  return undefined;
}

function handshakeOf(run: string, member: Member, hello: Hello): Handshake {
  return { run, coordinatorNonce: member.nonce, nodeNonce: hello.nonce };
}

function say(id: string, message: CoordinatorToNode, effects: CoordinatorEffect[]): void {
  effects.push({ kind: 'send', id, message, attachment: 'none' });
}

function sendChunks(
  state: CoordinatorState,
  member: Member,
  chunks: readonly number[],
  effects: CoordinatorEffect[],
): void {
  const count = state.settings.data.chunkHashes.length;
  const wrong = chunks.find((index) => index >= count);
  if (member.phase !== 'preparing' || wrong !== undefined) {
    return refuse(state, member, 'it asked for data that there is not', effects);
  }
  member.due.chunks -= chunks.length;
  if (member.due.chunks < 0) return refuse(state, member, 'it asked for data that it was sent', effects);
  for (const index of chunks) {
    effects.push({ kind: 'send', id: member.id, message: { kind: 'chunk', index }, attachment: 'chunk' });
  }
}

function takePartials(
  state: CoordinatorState,
  member: Member,
  { slots }: Received,
  message: Partials,
  effects: CoordinatorEffect[],
): void {
  const isDue = member.phase === 'ready' && member.due.partials > 0;
  member.due.partials -= isDue ? 1 : 0;
  const problem = isDue ? answered(state, member, message, slots, effects) : 'not-owed';
  if (problem === undefined) return;
  effects.push({ kind: 'release', slots });
  // Others were faster: no fault of its own.
  if (problem !== 'another-step' && problem !== 'superfluous')
    refuse(state, member, `its partial sums do not fit its work (${problem})`, effects);
}

function becomeReady(state: CoordinatorState, member: Member, effects: CoordinatorEffect[]): void {
  if (member.phase !== 'preparing') return refuse(state, member, 'it said ready out of turn', effects);
  member.phase = 'ready';
  if (!member.sharesMemory) {
    effects.push({
      kind: 'notice',
      text: `${member.name} joined (${member.backend}); ${readyCount(state)} at work`,
    });
  }
  // Whoever is ready works from the next step on.
  if (state.activity === 'striding') effects.push({ kind: 'interrupt-stride' });
}

/** Turns away someone who has no business here. It is told why. */
export function refuse(
  state: CoordinatorState,
  member: Member,
  reason: string,
  effects: CoordinatorEffect[],
): void {
  noteRefusal(state.refusals, member.name, reason, effects);
  say(member.id, { kind: 'refuse', reason }, effects);
  dismiss(state, member, reason, effects);
}

/** Closes the link of a member, which may come again. */
export function dismiss(
  state: CoordinatorState,
  member: Member,
  reason: string,
  effects: CoordinatorEffect[],
): void {
  effects.push({ kind: 'drop', id: member.id, reason });
  memberLeft(state, member.id, reason, effects);
}

function readyCount(state: CoordinatorState): number {
  return [...state.members.values()].filter((member) => member.phase === 'ready').length;
}
