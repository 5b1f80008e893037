import { nameOf } from './handing.js';
import type { Chosen } from './harvest.js';
import type { CoordinatorState } from './state.js';

/** Machines that are told apart: a new name costs whoever knows the token next to nothing. */
const NAMES_MAX = 4096;
/** Stands for all others; nobody is called so. */
const OTHERS = '';

/** Notes what was believed of remote members in a step, without another who came to the same. */
export function account(state: CoordinatorState, chosen: readonly Chosen[]): void {
  for (const { answer, isConfirmed } of chosen) {
    if (isConfirmed) continue;
    const { believedSince, step } = state;
    const own = nameOf(state, answer.memberId);
    const name = believedSince.has(own) || believedSince.size < NAMES_MAX ? own : OTHERS;
    if (!believedSince.has(name)) believedSince.set(name, step);
  }
}

/** The first step that rests on sums of a machine which nobody has confirmed; undefined when there is none. */
export function believedSince({ believedSince }: CoordinatorState, name: string): number | undefined {
  return believedSince.get(name) ?? believedSince.get(OTHERS);
}
