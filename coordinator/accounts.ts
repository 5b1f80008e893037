import { nameOf } from './handing.js';
import type { Chosen } from './harvest.js';
import type { CoordinatorState } from './state.js';

/** Notes what was believed of remote members in a step, without another who came to the same. */
export function account(state: CoordinatorState, chosen: readonly Chosen[]): void {
  for (const { answer, isConfirmed } of chosen) {
    if (isConfirmed) continue;
    const name = nameOf(state, answer.memberId);
    if (!state.believedSince.has(name)) state.believedSince.set(name, state.step);
  }
}
