import type { CoordinatorToNode } from '../shared/protocol/messages.js';
import { takeAtItsWord } from './hedging.js';
import type { CoordinatorEffect } from './messages.js';
import { noteRefusal } from './refusals.js';
import { releaseMember } from './round.js';
import type { CoordinatorState, Member } from './state.js';

/* Who goes, of its own will or not, and who is left. */

/** Members that have left and are told of at the end: of more, whoever has done least is forgotten. */
const DEPARTED_MAX = 1000;

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
  remember(state, member);
  const atWork = readyCount(state);
  const rest = atWork > 0 ? `${atWork} at work` : 'nobody is at work: the run waits for someone to join';
  effects.push({ kind: 'notice', text: `${member.name} left (${reason}); ${rest}` });
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

function remember({ departed }: CoordinatorState, member: Member): void {
  if (departed.length >= DEPARTED_MAX) {
    const least = departed.reduce((one, other) => (other.samples < one.samples ? other : one));
    departed.splice(departed.indexOf(least), 1);
  }
  departed.push(member);
}

/** Members that can be handed work. */
export function readyCount(state: CoordinatorState): number {
  return [...state.members.values()].filter((member) => member.phase === 'ready').length;
}

/** Says something that carries no bytes. */
export function say(id: string, message: CoordinatorToNode, effects: CoordinatorEffect[]): void {
  effects.push({ kind: 'send', id, message, attachment: 'none' });
}
