/* Which stretches of a run a receipt lets check, and what comes of it; see stretch.ts. */
import { type Receipt, recordedIn } from './receipt-format.js';

/** Steps `from` + 1 to `to`. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** What was found, one fact a line. */
export interface StretchFindings {
  readonly proven: readonly string[];
  readonly notProven: readonly string[];
}

/** Steps at which a stretch may begin and end: those whose state the receipt names. */
export function stretchEnds(receipt: Receipt): { readonly begins: number[]; readonly ends: number[] } {
  const { saved, lastStep, end } = recordedIn(receipt);
  const states = [...saved.keys()];
  const ascending = (steps: readonly number[]): number[] => [...new Set(steps)].sort((a, b) => a - b);
  return {
    begins: ascending([0, ...states]).filter((step) => step < lastStep),
    ends: ascending([...states, ...(end?.weightsSha256 ? [lastStep] : [])]).filter((step) => step > 0),
  };
}

/** Whether a stretch begins with a state that somebody has to give. */
export function needsState({ sessions: [first] }: Receipt, { from }: Stretch): boolean {
  return from > 0 || first?.weights !== null;
}
