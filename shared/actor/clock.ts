/* The only file that reads the time or sets a timer. Everything else gets a Clock as an argument; tests pass their own. */

/** Cancels a timer; does nothing when it has fired or been cancelled. */
export type Cancel = () => void;

/** Time and timers. */
export interface Clock {
  /** Milliseconds since an arbitrary moment; never decreases. For durations, not for dates. */
  nowMs(): number;
  /** Calls `fire` once, after at least `delayMs` milliseconds; never from within this call. */
  after(delayMs: number, fire: () => void): Cancel;
}

/** Longest delay of a timer in JavaScript engines (24.8 days). A longer one would fire at once. */
const DELAY_MS_MAX = 2 ** 31 - 1;

/** The machine's own clock. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, fire) {
    const timer = setTimeout(fire, Math.min(Math.max(delayMs, 0), DELAY_MS_MAX));
    return () => clearTimeout(timer);
  },
};

/**
 * Calls `fire` after at least `delayMs` milliseconds, when this thread has read what had arrived by then. Where other threads have kept
 * it from its core, its timers are due before it has read anything.
 */
export function afterReading(clock: Clock, delayMs: number, fire: () => void): void {
  clock.after(delayMs, () => clock.after(0, fire));
}

/** Milliseconds since 1970, for folder names, logs and certificates. No result of a run may depend on it. */
export function epochMs(): number {
  return Date.now();
}
