/* The only file that reads the time or sets a timer: everything else is handed a Clock, which a test can be too. */

/** Cancels a timer; does nothing when it has fired or been cancelled. */
export type Cancel = () => void;

/** Time for those who may know it. */
export interface Clock {
  /** Milliseconds since some moment in the past; never goes back. For durations, not for dates. */
  nowMs(): number;
  /** Calls `fire` once, not before `delayMs` milliseconds have passed; never from within this call. */
  after(delayMs: number, fire: () => void): Cancel;
}

/** Longest delay of a timer in JavaScript engines (24.8 days); a longer one would fire at once. */
const DELAY_MS_MAX = 2 ** 31 - 1;

/** The machine's own clock. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, fire) {
    const timer = setTimeout(fire, Math.min(Math.max(delayMs, 0), DELAY_MS_MAX));
    return () => clearTimeout(timer);
  },
};

/** Milliseconds since 1970, for names of folders and logs. Nothing that a run computes may depend on it. */
export function epochMs(): number {
  return Date.now();
}
