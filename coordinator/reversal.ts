import { believedSince } from './accounts.js';
import type { RunProgress } from './checkpoint.js';
import { dismiss } from './dismissal.js';
import { isPrompt, readyMembers } from './handing.js';
import type { CoordinatorEffect } from './messages.js';
import { saveBack } from './saving.js';
import type { CoordinatorState } from './state.js';
import { progressOf } from './verdict.js';
import { initialVerdict } from './verdict-state.js';

/*
 * Where only part of the work is audited, whoever is found to be wrong may have been wrong before, unseen, and its sums
 * are in the weights. So the run remembers since when each machine has been believed unconfirmed, and keeps some states
 * of itself. When a machine is expelled, the run goes back to the latest that precedes all of that, and does the steps
 * after it anew, without it. It is the same computation, so it arrives at the same weights as if the machine had never
 * been there.
 */

/** States that are kept at a time, each a copy of the weights and of the optimizer's vectors. */
const KEPT_MAX = 4;

/** Keeps the state of the run, if it is time to. Called between steps, before someone remote is handed work. */
export function keepWhenDue(state: CoordinatorState, effects: CoordinatorEffect[]): void {
  const { settings, step, kept } = state;
  const last = kept.at(-1);
  if (settings.audit.fraction === 0 || (last !== undefined && step < last.step + state.keptApart)) return;
  const all = [...kept, progressOf(state)];
  const tooMany = all.length > KEPT_MAX;
  // Every second one goes, never the first nor the newest: their number is odd then.
  state.kept = tooMany ? all.filter((_, i) => i % 2 === 0) : all;
  if (tooMany) state.keptApart *= 2;
  const forget = all.filter((one) => !state.kept.includes(one)).map((one) => one.step);
  effects.push({ kind: 'keep', step, forget });
}

/** Someone was expelled: whatever of it nobody has confirmed must not stay in the weights. */
export function revert(state: CoordinatorState, name: string, effects: CoordinatorEffect[]): void {
  const since = believedSince(state, name);
  if (since === undefined) return;
  const back = state.kept.findLast(({ step }) => step <= since);
  if (back === undefined) {
    const text = `${name} has been believed since step ${since}, which stays in the weights: nothing was to be audited`;
    effects.push({ kind: 'notice', text });
    return;
  }
  const { step } = state;
  effects.push({ kind: 'report', event: { event: 'reverted', step, to: back.step, member: name, since } });
  const text = `${name} has been believed since step ${since}: the run goes back from step ${step} to ${back.step}`;
  effects.push({ kind: 'notice', text });
  if (state.revertTo === undefined || back.step < state.revertTo.step) state.revertTo = back;
  abandonRound(state, effects);
  state.activity = 'reverting';
}

/** Goes back, once no thread of this process computes with the weights that are to be replaced, and none is being saved. */
export function continueReverting(state: CoordinatorState, effects: CoordinatorEffect[]): void {
  const isBusy = readyMembers(state).some(({ sharesMemory, late }) => sharesMemory && late.length > 0);
  if (isBusy || state.saving.isUnderWay) return;
  const back = state.revertTo as RunProgress;
  const { step, optimizer, best } = back;
  const forget = state.kept.filter((one) => one.step > step).map((one) => one.step);
  state.kept = state.kept.filter((one) => one.step <= step);
  for (const [name, since] of state.believedSince) if (since >= step) state.believedSince.delete(name);
  effects.push({ kind: 'restore', step, forget });
  Object.assign(state, { step, optimizer, best, revertTo: undefined, activity: 'waiting' });
  Object.assign(state, initialVerdict(state.settings, back));
  for (const member of state.members.values()) member.weightsStep = -1;
  saveBack(state, effects);
}

/** Nothing of the step under way counts. */
function abandonRound(state: CoordinatorState, effects: CoordinatorEffect[]): void {
  const { round } = state;
  if (round === undefined) return;
  state.round = undefined;
  const slots: number[] = [];
  for (const { range, holders, answers } of round.tasks.values()) {
    slots.push(...answers.flatMap(({ partials }) => partials.map(({ slot }) => slot)));
    for (const { memberId, handedMs } of holders)
      state.members.get(memberId)?.late.push({ step: round.step, range, handedMs });
  }
  if (slots.length > 0) effects.push({ kind: 'release', slots });
  // Steps will have the same numbers and other weights: an answer that is under way must not be taken for one of those.
  for (const member of readyMembers(state))
    if (!member.sharesMemory && !isPrompt(member))
      dismiss(state, member, 'the run goes back: join again', effects);
}
