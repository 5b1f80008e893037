import type { Clock } from '../../shared/actor/clock.js';

/**
 * A function that may be called often: `act` runs at once for the first call of a period, and once at its end for all calls
 * that follow.
 * @param periodMs of the period that begins
 */
export function atMostEvery(periodMs: () => number, clock: Clock, act: () => void): () => void {
  let nextMs = Number.NEGATIVE_INFINITY;
  let isDue = false;
  const run = (): void => {
    isDue = false;
    nextMs = clock.nowMs() + periodMs();
    act();
  };
  return () => {
    if (isDue) return;
    const waitMs = nextMs - clock.nowMs();
    if (waitMs <= 0) return run();
    isDue = true;
    clock.after(waitMs, run);
  };
}
