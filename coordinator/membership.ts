import type { Partials } from '../shared/protocol/messages.js';
import { admit, admitWatcher } from './admission.js';
import { dismiss, readyCount, refuse, say } from './dismissal.js';
import type { CoordinatorEffect, CoordinatorMessage } from './messages.js';
import { tellRefusals } from './refusals.js';
import { answered } from './rounds.js';
import type { CoordinatorState, Member } from './state.js';

/** A stranger proves who it is within this time, or is dropped. */
const HANDSHAKE_MS = 10_000;
/** A member that has been silent for so long is taken for dead; a live one answers a ping at once. */
const SILENCE_MS = 3000;

type Received = Extract<CoordinatorMessage, { kind: 'received' }>;

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
    case 'watch':
      return admitWatcher(state, member, message, effects);
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
