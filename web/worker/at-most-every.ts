import type { Clock } from '../../shared/actor/clock.js';

/** A function that may be called often, and lets `act` run once for all calls of a period, at its end. */
export function atMostEvery(periodMs: number, clock: Clock, act: () => void): () => void {
  let isDue = false;
  return () => {
    if (isDue) return;
    isDue = true;
    clock.after(periodMs, () => {
      isDue = false;
      act();
    });
  };
}
