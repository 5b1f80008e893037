import type { TransitionResult } from '../shared/actor/transition.js';
import { expulsion, type WrongAnswer } from './auditing/audit.js';
import { onDurable, onExpelled, unverifiedMachines } from './auditing/rollback.js';
import type { CoordinatorState } from './coordinator-state.js';
import { concludeInquiries, inquire, onMemberMessage, withoutMembers } from './member-work.js';
import { BANNED } from './membership/admission.js';
import { addBan, membersMeant } from './membership/bans.js';
import {
  expel,
  type MembershipOutcome,
  machineOf,
  memberOf,
  NOTHING,
  refuse,
} from './membership/membership.js';
import { onForgot, onSaved } from './policies/checkpoint-policy.js';
import { onControl } from './run-control.js';
import { discardResults } from './scheduling/answers.js';
import type { CoordinatorEffect, CoordinatorMessage, MemberMessage } from './state/messages.js';
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
 *   hands it to the room that it is about, by member-work.ts if it is of a member -> what other rooms have to know of it (a
 *   member that left, a member that is ready, partial sums) -> `advance` in training-loop.ts, which starts whatever can be
 *   started now -> effects -> effects.ts.
 *
 * Each room changes its own part of the state and returns effects. Rooms do not know each other: this file, member-work.ts
 * and the training loop are the only ones that compose them.
 */
export function coordinate(
  state: CoordinatorState,
  message: CoordinatorMessage,
  nowMs: number,
): TransitionResult<CoordinatorState, CoordinatorEffect> {
  const effects = [...onMessage(state, message, nowMs), ...conclude(state, nowMs), ...advance(state, nowMs)];
  return { state, effects };
}

function onMessage(
  state: CoordinatorState,
  message: CoordinatorMessage,
  nowMs: number,
): readonly CoordinatorEffect[] {
  const { checkpointing } = state;
  switch (message.kind) {
    case 'tick':
      return [
        ...onMember(state, message, nowMs),
        ...tellWhoIsAwaited(state, nowMs),
        ...endFirstExecution(state.training),
      ];
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
      return onMember(state, message, nowMs);
  }
}

/** A message of members and what they owe. What it comes to is the run's business, too. */
function onMember(
  state: CoordinatorState,
  message: MemberMessage,
  nowMs: number,
): readonly CoordinatorEffect[] {
  const { effects, ready, answered, control, wrong = [] } = onMemberMessage(state, message, nowMs);
  if (ready !== undefined) return [...effects, ...onWorkerReady(state, ready)];
  if (answered !== undefined) return [...effects, ...onHelpReturned(state)];
  if (control !== undefined)
    return onControl(state, control, (who, isBanned) => onRemoved(state, { who, isBanned }, nowMs));
  return [...effects, ...wrong.flatMap((one) => onWrong(state, one, nowMs))];
}

/**
 * A member was wrong, and is expelled: what it answered in this step is computed again by others, and where earlier steps rest on
 * sums of it that nobody confirmed, the run rolls back to a state before them.
 */
function onWrong(state: CoordinatorState, wrong: WrongAnswer, nowMs: number): readonly CoordinatorEffect[] {
  return inquire(state, wrong, nowMs) ?? convict(state, wrong, nowMs);
}

/** Inquiries that have come to an end: the relay is expelled, or somebody below it is, by the relay. */
function conclude(state: CoordinatorState, nowMs: number): readonly CoordinatorEffect[] {
  const { effects, conclusions } = concludeInquiries(state, nowMs);
  return [
    ...effects,
    ...conclusions.flatMap((one) =>
      one.kind === 'relay'
        ? convict(state, one.wrong, nowMs)
        : undo(state, machineOf(state.membership, one.relayId), one.event, nowMs),
    ),
  ];
}

function convict(state: CoordinatorState, wrong: WrongAnswer, nowMs: number): readonly CoordinatorEffect[] {
  const { membership } = state;
  const { memberId } = wrong;
  const member = memberOf(membership, memberId);
  const { event, reason } = expulsion(wrong, member?.name ?? memberId);
  return discredit(state, memberId, event, nowMs, () =>
    member === undefined ? NOTHING : expel(membership, member, 'wrong', reason, nowMs),
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
  if (!rollback.isRollingBack) return effects;
  // What is being looked into in the step under way will not be known: the relays answer for it.
  for (const { wrong } of state.scheduling.inquiries.splice(0)) effects.push(...convict(state, wrong, nowMs));
  return [...effects, ...onRollbackNeeded(state, nowMs)];
}
