import { stepPlace } from '../shared/data/order.js';
import type { Partial } from '../shared/engine/partials.js';
import { assert } from '../shared/errors.js';
import type { Partials } from '../shared/protocol/messages.js';
import { isSameRange, leafCount } from '../shared/sum/leaves.js';
import { account } from './accounts.js';
import { reassign } from './assignment.js';
import {
  audibleFirst,
  hand,
  idleFirst,
  knows,
  owesNothing,
  promptFirst,
  provenFirst,
  readyMembers,
  share,
} from './handing.js';
import { type Chosen, harvest } from './harvest.js';
import { hedge, takeAtItsWord, wakeInTime } from './hedging.js';
import type { CoordinatorEffect } from './messages.js';
import {
  addRoot,
  isCovered,
  isDisputed,
  isUncompared,
  missing,
  openRound,
  owedTask,
  type Refusal,
  type Round,
  refresh,
  type Task,
  takeAnswer,
} from './round.js';
import { capacities, forgive, measure } from './speed.js';
import type { CoordinatorState, Member } from './state.js';

/*
 * Steps in which someone is remote: leaves are handed out by measured speed, handed out again when their member has
 * left, given to idle members as well when it is late, and to a second one where the work is audited.
 */

/** Hands out the leaves of a step. */
export function startRound(
  state: CoordinatorState,
  ready: readonly Member[],
  effects: CoordinatorEffect[],
): void {
  const { settings, step, assignments } = state;
  const leaves = leafCount(batchSize(state), settings.leafSize);
  const prompt = promptFirst(ready);
  const inUse = assignments.get(leaves);
  const assignment = reassign(inUse, { from: 0, to: leaves }, capacities(prompt), settings.granule);
  if (assignment !== inUse) {
    assignments.set(leaves, assignment);
    effects.push({ kind: 'report', event: { event: 'assignment', step, reason: assignment.reason } });
  }
  state.round = openRound(step, leaves);
  state.activity = 'round';
  for (const { memberId, range } of assignment.shares) {
    const member = state.members.get(memberId) as Member;
    const isAudited = !member.sharesMemory && state.draws.chance(settings.audit.fraction);
    hand(state, addRoot(state.round, range, isAudited ? 2 : 1), member, effects);
  }
  for (const member of prompt) {
    if (member.speed !== undefined && owesNothing(state.round, member)) member.speed = forgive(member.speed);
  }
  // Second members for what is audited, and the first look at who is late.
  continueRound(state, effects);
}

/** Hands out what nobody has, or what is late. @returns whether all leaves are in */
export function continueRound(state: CoordinatorState, effects: CoordinatorEffect[]): boolean {
  const round = state.round as Round;
  for (const task of [...round.needy]) serve(state, round, task, effects);
  if (isCovered(round)) return true;
  hedge(state, effects);
  if (isCovered(round)) return true;
  wakeInTime(state, effects);
  return false;
}

/** What counts of a round that is covered, each leaf once. Whoever still computes does so in vain. */
export function closeRound(state: CoordinatorState, effects: CoordinatorEffect[]): Chosen[] {
  const round = state.round as Round;
  for (const { range, holders } of round.tasks.values()) {
    for (const { memberId, handedMs } of holders)
      state.members.get(memberId)?.late.push({ step: round.step, range, handedMs });
  }
  const { chosen, idle } = harvest(round);
  account(state, chosen);
  if (idle.length > 0) effects.push({ kind: 'release', slots: idle.map(({ slot }) => slot) });
  return chosen;
}

/**
 * A member's partial sums have arrived. Returns why they do not count, if they do not.
 * @param slots where their vectors lie, one for each node
 */
export function answered(
  state: CoordinatorState,
  member: Member,
  { step, range, nodes, computeMicros }: Partials,
  slots: readonly number[],
  effects: CoordinatorEffect[],
): Refusal | undefined {
  const { round } = state;
  const time = (handedMs: number): void => {
    const leaves = range.to - range.from;
    const elapsedMs = state.nowMs - handedMs;
    member.speed = measure(member.speed, { leaves, computeMs: computeMicros / 1000, elapsedMs });
  };
  const late = member.late.findIndex((work) => work.step === step && isSameRange(work.range, range));
  if (late >= 0) {
    const [work] = member.late.splice(late, 1);
    // Of several, those behind the first have waited for it.
    if (late === 0 && work !== undefined) time(work.handedMs);
    return 'another-step';
  }
  if (round === undefined || state.activity !== 'round') return 'another-step';
  const partials = nodes.map((node, i): Partial => ({ node, slot: slots[i] as number }));
  const answer = { memberId: member.id, isTrusted: member.sharesMemory, partials };
  const taken = takeAnswer(round, answer, step, range);
  if (typeof taken === 'string') return taken;
  assert(slots.length === nodes.length, 'sums were taken into a round that lie nowhere');
  if (taken.holder.isAlone) time(taken.holder.handedMs);
  takeAtItsWord(state, round, taken.task);
  if (isUncompared(taken.task)) {
    const answers = taken.task.answers.map(({ memberId, partials }) => ({ memberId, partials }));
    effects.push({ kind: 'compare', step, task: taken.task.id, answers });
  }
  return undefined;
}

/** Whether sums that have arrived can count: a member owes exactly these, in the round under way. */
export function isOwed(
  { round, activity }: CoordinatorState,
  id: string,
  { step, range, nodes }: Partials,
): boolean {
  if (round === undefined || activity !== 'round') return false;
  return typeof owedTask(round, { memberId: id, step, range, nodes }) !== 'string';
}

/** Samples of the batch of the step under way. */
export function batchSize({ step, settings }: CoordinatorState): number {
  return stepPlace(step, settings.samples, settings.batch).size;
}

/** Finds takers for a task that has too few. */
function serve(state: CoordinatorState, round: Round, task: Task, effects: CoordinatorEffect[]): void {
  if (missing(task) === 0) return refresh(round, task);
  const ready = readyMembers(state);
  const best = (members: readonly Member[]): readonly Member[] =>
    provenFirst(idleFirst(round, promptFirst(audibleFirst(state, members))));
  if (task.holders.length === 0 && task.answers.length === 0) return share(state, task, best(ready), effects);
  if (takeAtItsWord(state, round, task)) return;
  const others = best(ready.filter((member) => !knows(task, member)));
  const taker = others[state.draws.below(others.length)];
  if (taker !== undefined) return hand(state, task, taker, effects);
  if (isDisputed(task)) return;
  // There is nobody else who could confirm it.
  task.wanted = 1;
  refresh(round, task);
}
