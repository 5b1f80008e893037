import type { CoordinatorState } from './state.js';

/*
 * When backprop is looked at: before a step that is watched, to see its values and error terms, and behind it, to see
 * how far it moved the weights. Looks change nothing, so when they are taken is no matter of the weights.
 */

type Run = Pick<CoordinatorState, 'settings' | 'step'>;

/** Whether the step ahead is to be watched. */
export function isWatched({ settings, step }: Run): boolean {
  const { watchEvery, steps } = settings;
  return watchEvery > 0 && step < steps && step % watchEvery === 0;
}

/** Whether there is something to see here that has not been seen. */
export function watchIsDue(state: CoordinatorState): boolean {
  const { settings, step, watchedAt } = state;
  return step !== watchedAt && (isWatched(state) || (step > 0 && isWatched({ settings, step: step - 1 })));
}

/** Steps until there is something to see again; at least 1. */
export function stepsToWatch({ settings, step }: Run): number {
  const { watchEvery } = settings;
  if (watchEvery === 0) return Number.POSITIVE_INFINITY;
  return step % watchEvery === 0 ? 1 : watchEvery - (step % watchEvery);
}
