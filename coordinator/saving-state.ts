/** How often a run is saved: after so many steps, or so much time; or exactly after these steps, in ascending order. */
export type CheckpointPolicy =
  | { readonly everySteps: number }
  | { readonly everyMs: number }
  | { readonly atSteps: readonly number[] };

/** What is known of saving. */
export interface Saving {
  /** Steps done when the state was last handed over to be saved; -1 before the first time. */
  step: number;
  atMs: number;
  isUnderWay: boolean;
  /** The run has gone back, and there may still be checkpoints of what was undone. */
  isBack: boolean;
  /** Steps done in the latest state that is safe; -1 when there is none. */
  safeStep: number;
  /** How long the latest save took. */
  elapsedMs: number;
  /** What was wrong the last time; told once. */
  problem: string | undefined;
}

/** Nothing saved yet; or, in a run that goes on, what it goes on from. */
export function initialSaving(step: number, nowMs: number): Saving {
  return {
    step,
    atMs: nowMs,
    isUnderWay: false,
    isBack: false,
    safeStep: step,
    elapsedMs: 0,
    problem: undefined,
  };
}
