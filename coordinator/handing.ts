import { QUEUE_MAX } from '../shared/protocol/limits.js';
import { assign } from './assignment.js';
import type { CoordinatorEffect } from './messages.js';
import { cutUp, hold, type Round, type Task } from './round.js';
import { capacities, patienceMs } from './speed.js';
import type { CoordinatorState, Member } from './state.js';

/** A member that has said nothing for so long has missed a ping: it may be gone. A little over two looks at who is there. */
const QUIET_MS = 1200;

/** Members that can be handed work, in the order in which they joined. */
export function readyMembers(state: CoordinatorState): Member[] {
  return [...state.members.values()].filter((member) => member.phase === 'ready');
}

/** The name of a member, or of one that has left. */
export function nameOf({ members, departed }: CoordinatorState, id: string): string {
  return members.get(id)?.name ?? departed.findLast((one) => one.id === id)?.name ?? id;
}

/** Those who owe nothing of earlier steps; all, when there are no such. */
export function promptFirst(members: readonly Member[]): readonly Member[] {
  const prompt = members.filter(isPrompt);
  return prompt.length > 0 ? prompt : members;
}

/** A member owes nothing of earlier steps: what it is handed, it can begin at once. */
export function isPrompt({ late }: Member): boolean {
  return late.length === 0;
}

/** Those who were heard of lately; all, when there are no such. */
export function audibleFirst({ nowMs }: CoordinatorState, members: readonly Member[]): readonly Member[] {
  const audible = members.filter(
    ({ sharesMemory, heardAtMs }) => sharesMemory || nowMs - heardAtMs < QUIET_MS,
  );
  return audible.length > 0 ? audible : members;
}

/**
 * Those who have answered before; all, when there are no such. Who has not may be slow to begin with, or never answer:
 * not the one to make up for others.
 */
export function provenFirst(members: readonly Member[]): readonly Member[] {
  const proven = members.filter(({ speed }) => speed !== undefined);
  return proven.length > 0 ? proven : members;
}

/** Those who owe nothing in this round; all, when there are no such. */
export function idleFirst(round: Round, members: readonly Member[]): readonly Member[] {
  const idle = members.filter((member) => owesNothing(round, member));
  return idle.length > 0 ? idle : members;
}

/** A member has nothing to do in this round. */
export function owesNothing(round: Round, { id }: Member): boolean {
  return (round.held.get(id)?.length ?? 0) === 0;
}

/** A member computes this task, or has done so: it cannot confirm what it says itself. */
export function knows(task: Task, { id }: Member): boolean {
  return [...task.holders, ...task.answers].some(({ memberId }) => memberId === id);
}

/** Gives a task to some members, in parts when there is enough of it for several. */
export function share(
  state: CoordinatorState,
  task: Task,
  takers: readonly Member[],
  effects: CoordinatorEffect[],
): void {
  if (takers.length === 0) return;
  const { shares } = assign(task.range, capacities(takers), state.settings.granule);
  const ranges = shares.map(({ range }) => range);
  const parts = shares.length > 1 ? cutUp(state.round as Round, task, ranges) : [task];
  for (const [i, { memberId }] of shares.entries())
    hand(state, parts[i] as Task, state.members.get(memberId) as Member, effects);
}

/** Hands a task to a member. */
export function hand(
  state: CoordinatorState,
  task: Task,
  member: Member,
  effects: CoordinatorEffect[],
): void {
  const round = state.round as Round;
  const { nowMs, step } = state;
  const { range } = task;
  const owed = round.held.get(member.id) ?? [];
  const leaves = owed.reduce((sum, other) => sum + other.range.to - other.range.from, range.to - range.from);
  const isAlone = owed.length === 0 && isPrompt(member);
  // What still waits for its turn at the node is void as soon as it hears of this step.
  member.late.splice(1);
  member.due.partials = Math.min(member.due.partials + 1, QUEUE_MAX);
  // Local threads all end a round together: nothing is won by doing the work of one of them a second time.
  const dueMs = member.sharesMemory ? Number.POSITIVE_INFINITY : nowMs + patienceMs(member.speed, leaves);
  hold(round, task, { memberId: member.id, handedMs: nowMs, dueMs, isAlone, isHedged: false });
  const fresh = member.sharesMemory || member.weightsStep === step;
  member.weightsStep = step;
  const message = { kind: 'work', step, range, weights: !fresh } as const;
  effects.push({ kind: 'send', id: member.id, message, attachment: fresh ? 'none' : 'weights' });
}
