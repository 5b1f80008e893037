import type { Cancelled, PartialSums } from '../../shared/protocol/messages.js';
import type { Control } from '../../shared/protocol/watch-messages.js';
import type { Member } from '../state/member.js';
import type { CoordinatorMessage } from '../state/messages.js';
import { onHello, onWatch } from './admission.js';
import { onNeed } from './data-requests.js';
import { noteFirstStored } from './data-serving.js';
import { onPong } from './heartbeat.js';
import {
  atWork,
  dismiss,
  type MembershipOutcome,
  type MembershipState,
  NOTHING,
  refuse,
} from './membership.js';
import { notePresence } from './presence-log.js';

/** What a member's message comes to: what this room does about it, and what is other rooms' business. */
export interface ReceivedOutcome extends MembershipOutcome {
  /** This member can be given work from now on. */
  readonly ready?: Member;
  /** It has sent a segment of partial sums, which the scheduling room has to judge. */
  readonly segmentOf?: Member;
  /** It has retracted the segments of an answer. */
  readonly retracting?: Member;
  /** Partial sums, which the scheduling room has to judge. */
  readonly answer?: { readonly member: Member; readonly message: PartialSums };
  /** It has given up what it owed, which is the scheduling room's business too. */
  readonly cancelled?: { readonly member: Member; readonly message: Cancelled };
  /** An operator asks for something. */
  readonly control?: { readonly operator: Member; readonly message: Control };
}

/** A validated message has arrived. A member that breaks the protocol is refused; the run goes on. */
export function onReceived(
  part: MembershipState,
  { id, message, buffers }: Extract<CoordinatorMessage, { kind: 'received' }>,
  nowMs: number,
): ReceivedOutcome {
  const member = part.members.get(id);
  if (member === undefined) return { effects: [{ kind: 'release', buffers }], left: [] };
  // What can be sent without having read anything, as often as one likes, is no sign of life.
  if (message.kind !== 'pong' && message.kind !== 'need') member.heardAtMs = nowMs;
  switch (message.kind) {
    case 'hello':
      return onHello(part, member, message, nowMs);
    case 'watch':
      return onWatch(part, member, message);
    case 'need':
      return onNeed(part, member, message.chunks, nowMs);
    case 'ready':
      noteFirstStored(part.serving, id, nowMs);
      return becomeReady(part, member, message.lacksData !== true);
    case 'segment':
      return { ...NOTHING, segmentOf: member };
    case 'retract':
      return { ...NOTHING, retracting: member };
    case 'partial-sums':
      return { ...NOTHING, answer: { member, message } };
    case 'cancelled':
      return { ...NOTHING, cancelled: { member, message } };
    case 'leave':
    case 'failed':
      return dismiss(part, member, message.reason);
    case 'control':
      return onControl(part, member, message);
    case 'pong':
      return onPong(part, member, message.id, nowMs);
    default:
      return message satisfies never;
  }
}

/** Whether the peer may operate the run is decided here; what becomes of the run, by run-control.ts. */
function onControl(part: MembershipState, member: Member, message: Control): ReceivedOutcome {
  if (!member.isOperator) return refuse(part, member, 'its link does not permit operating the run');
  member.due.controls -= 1;
  if (member.due.controls < 0) return refuse(part, member, 'asks for too much at once');
  return { ...NOTHING, control: { operator: member, message } };
}

/** A peer sent what is no message of this protocol. It is told so and its link is closed; the run goes on. */
export function onGarbled(part: MembershipState, id: string, reason: string): MembershipOutcome {
  const member = part.members.get(id);
  return member === undefined ? NOTHING : refuse(part, member, reason);
}

function becomeReady(part: MembershipState, member: Member, hasData: boolean): ReceivedOutcome {
  if (member.phase === 'ready' && hasData && !member.hasData) {
    member.hasData = true;
    return { ...NOTHING, ready: member };
  }
  if (member.phase !== 'preparing') return refuse(part, member, 'sent "ready" out of turn');
  member.phase = 'ready';
  member.hasData = hasData;
  member.preparedMs = 0;
  if (member.sharesMemory) return { ...NOTHING, ready: member };
  const text = (): string => `${member.name} joined (${member.backend}); ${atWork(part)}`;
  return {
    effects: notePresence(part.presence, { name: member.name, change: 'joined' }, text),
    left: [],
    ready: member,
  };
}
