import type { TransitionResult } from '../shared/actor/transition.js';
import { announceDispute, expulsion } from './auditing/audit.js';
import { onDurable, onExpelled, unverifiedMachines } from './auditing/rollback.js';
import type { CoordinatorState } from './coordinator-state.js';
import { dropUnanswering, onAcknowledged, onAnswer, onSegmentOf, withoutMembers } from './member-work.js';
import { BANNED, onConnected } from './membership/admission.js';
import { addBan, membersMeant } from './membership/bans.js';
import { onChunkSent, onDataDue } from './membership/data-requests.js';
import { onTick } from './membership/heartbeat.js';
import { onGarbled, onReceived } from './membership/member-messages.js';
import {
  expel as expelMember,
  type MembershipOutcome,
  machineOf,
  memberOf,
  NOTHING,
  onConfirmed,
  onDisconnected,
  refuse,
} from './membership/membership.js';
import { onForgot, onSaved } from './policies/checkpoint-policy.js';
import { onControl } from './run-control.js';
import { type Dispute, discardResults, onCompared } from './scheduling/answers.js';
import { onWoken } from './scheduling/distributed-step.js';
import { CHECK, onHash } from './scheduling/rehearsal-check.js';
import { onMemberConnected } from './scheduling/scheduling-state.js';
import type { CoordinatorEffect, CoordinatorMessage } from './state/messages.js';
import type { RunEvent } from './state/observer.js';
import {
  advance,
  endFirstExecution,
  onEvaluated,
  onExecuted,
  onFinished,
  onHelpReturned,
  onInspected,
  onInterrupt,
  onRollbackNeeded,
  onWorkerReady,
  tellWhoIsAwaited,
} from './training-loop.js';

/** What a member is told that may join again. */
const REMOVED = 'the operator of this run has removed it';

/**
 * The coordinator: one message in, the state after it and what is to be done out. No clock, no socket, no arithmetic
 * on tensors, and the time is handed in: that is what lets the same code run in production and under a simulated network.
 *
 * A message's way from socket to state:
 *
 *   link (shared/link) -> effects.ts, which validates it and tells it to the actor's mailbox -> `coordinate` below, which
 *   hands it to the room that it is about -> what other rooms have to know of it (a member that left, a member that is ready,
 *   partial sums) -> `advance` in training-loop.ts, which starts whatever can be started now -> effects -> effects.ts.
 *
 * Each room changes its own part of the state and returns effects. Rooms do not know each other: this file and the training
 * loop are the only ones that compose them.
 */
export function coordinate(
  state: CoordinatorState,
  message: CoordinatorMessage,
  nowMs: number,
): TransitionResult<CoordinatorState, CoordinatorEffect> {
  return { state, effects: [...onMessage(state, message, nowMs), ...advance(state, nowMs)] };
}

function onMessage(
  state: CoordinatorState,
  message: CoordinatorMessage,
  nowMs: number,
): readonly CoordinatorEffect[] {
  const { membership, scheduling, checkpointing } = state;
  switch (message.kind) {
    case 'connected': {
      const { effects, member } = onConnected(membership, message, nowMs);
      if (member !== undefined) onMemberConnected(scheduling, member);
      return effects;
    }
    case 'received': {
      const { ready, answer, segmentOf, cancelled, control, ...outcome } = onReceived(
        membership,
        message,
        nowMs,
      );
      const effects = withoutMembers(state, outcome, nowMs);
      if (answer !== undefined)
        return [...onAnswer(state, answer, message.buffers, nowMs), ...onHelpReturned(state)];
      if (segmentOf !== undefined) return onSegmentOf(state, segmentOf, nowMs);
      if (cancelled !== undefined) return onAcknowledged(state, cancelled, nowMs);
      if (control !== undefined)
        return onControl(state, control, (who, isBanned) => onRemoved(state, { who, isBanned }, nowMs));
      return ready === undefined ? effects : [...effects, ...onWorkerReady(state, ready)];
    }
    case 'garbled':
      return withoutMembers(state, onGarbled(membership, message.id, message.reason), nowMs);
    case 'disconnected':
      return withoutMembers(state, onDisconnected(membership, message.id, message.reason), nowMs);
    case 'chunk-sent':
      return onChunkSent(membership, message.id, nowMs);
    case 'data-due':
      return onDataDue(membership, nowMs);
    case 'tick': {
      const isFetching = (id: string): boolean => scheduling.workers.get(id)?.isFetching ?? false;
      return [
        ...withoutMembers(state, onTick(membership, message.secret, isFetching, nowMs), nowMs),
        ...dropUnanswering(state, nowMs),
        ...tellWhoIsAwaited(state, nowMs),
        ...endFirstExecution(state.training),
      ];
    }
    case 'compared': {
      if (message.task === CHECK) return onRehearsalChecked(state, message, nowMs);
      const { dispute, confirmed } = onCompared(scheduling, message);
      onConfirmed(membership, confirmed);
      return dispute === undefined ? [] : onDispute(state, dispute, nowMs);
    }
    case 'woken':
      onWoken(scheduling);
      return [];
    case 'saved':
      if (!('problem' in message.outcome)) onDurable(state.auditing, message.step);
      return onSaved(checkpointing, message, nowMs);
    case 'forgot':
      return onForgot(checkpointing, message);
    case 'executed':
      return onExecuted(state, message, nowMs);
    case 'finished':
      return onFinished(state, message, nowMs);
    case 'evaluated':
      return onEvaluated(state, message.means);
    case 'inspected':
      return onInspected(state);
    case 'remove':
      return onRemoved(state, message, nowMs);
    case 'interrupt':
      return onInterrupt(state);
    default:
      return message satisfies never;
  }
}

/**
 * Members differ over a task. A member that is wrong is expelled: what it answered in this step is computed again by others, and
 * where earlier steps rest on sums of it that nobody confirmed, the run rolls back to a state before them.
 */
function onDispute(state: CoordinatorState, dispute: Dispute, nowMs: number): readonly CoordinatorEffect[] {
  const { wrong, parameter } = dispute;
  if (wrong.length === 0) return [announceDispute(dispute)];
  return wrong.flatMap(({ memberId, ...hashes }) =>
    expel(state, memberId, dispute, { ...hashes, parameter }, nowMs),
  );
}

/** A hash of a checked rehearsal has come. A member whose answer is wrong is expelled before any of its sums has counted. */
function onRehearsalChecked(
  state: CoordinatorState,
  message: Extract<CoordinatorMessage, { kind: 'compared' }>,
  nowMs: number,
): readonly CoordinatorEffect[] {
  const wrong = onHash(state.scheduling, message);
  if (wrong === undefined) return [];
  const { memberId, step, range, ...hashes } = wrong;
  return expel(state, memberId, { step, range }, hashes, nowMs);
}

/** A member was wrong. */
function expel(
  state: CoordinatorState,
  memberId: string,
  place: Parameters<typeof expulsion>[0],
  evidence: Parameters<typeof expulsion>[2],
  nowMs: number,
): readonly CoordinatorEffect[] {
  const { membership } = state;
  const member = memberOf(membership, memberId);
  const { event, reason } = expulsion(place, member?.name ?? memberId, evidence);
  return discredit(state, memberId, event, nowMs, () =>
    member === undefined ? NOTHING : expelMember(membership, member, 'wrong', reason, nowMs),
  );
}

/** The operator takes members out. What a banned machine has computed counts like that of one that was wrong. */
function onRemoved(
  state: CoordinatorState,
  { who, isBanned }: Omit<Extract<CoordinatorMessage, { kind: 'remove' }>, 'kind'>,
  nowMs: number,
): readonly CoordinatorEffect[] {
  const { membership, training, auditing } = state;
  if (training.activity === 'complete') return [];
  const meant = membersMeant(membership, who);
  if (isBanned) addBan(membership.bans, who, meant);
  const known = new Set(meant.map(({ standing }) => standing.machine));
  const gone = isBanned ? unverifiedMachines(auditing, who).filter((machine) => !known.has(machine)) : [];
  if (meant.length + gone.length === 0) {
    const later = isBanned ? ', and a machine that joins under it is refused' : '';
    return [{ kind: 'notice', text: `nobody of the name or key ${who} is in the run${later}` }];
  }
  const undone = gone.flatMap((machine) => {
    const event = { event: 'banned', step: training.step, member: who, machine } as const;
    return undo(state, machine, event, nowMs);
  });
  const removed = meant.flatMap((member) => {
    const isPresent = membership.members.has(member.id);
    if (!isBanned) return isPresent ? withoutMembers(state, refuse(membership, member, REMOVED), nowMs) : [];
    const { name, standing } = member;
    const event = { event: 'banned', step: training.step, member: name, machine: standing.machine } as const;
    return discredit(state, member.id, event, nowMs, () =>
      isPresent ? refuse(membership, member, BANNED) : NOTHING,
    );
  });
  return [...removed, ...undone];
}

/**
 * Nothing of a machine that nobody has confirmed is to stay in the weights.
 * @param event reported now, or once that is so
 * @param takeOut takes the member out
 */
function discredit(
  state: CoordinatorState,
  memberId: string,
  event: RunEvent & { readonly member: string },
  nowMs: number,
  takeOut: () => MembershipOutcome,
): readonly CoordinatorEffect[] {
  const { membership, scheduling } = state;
  const machine = machineOf(membership, memberId);
  const discarded = discardResults(scheduling, memberId);
  return [...discarded, ...undo(state, machine, event, nowMs, () => withoutMembers(state, takeOut(), nowMs))];
}

/** Sums of a machine that are in the weights, and that nobody has confirmed, are undone. @param before the run goes back */
function undo(
  state: CoordinatorState,
  machine: string,
  event: RunEvent & { readonly member: string },
  nowMs: number,
  before: () => readonly CoordinatorEffect[] = () => [],
): readonly CoordinatorEffect[] {
  const { auditing, training } = state;
  const rollback = onExpelled(auditing, { machine, name: event.member }, training.step, event);
  const effects = [...rollback.effects, ...before()];
  if (rollback.isRollingBack) effects.push(...onRollbackNeeded(state, nowMs));
  return effects;
}
