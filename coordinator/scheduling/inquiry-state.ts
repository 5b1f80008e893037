import type { SumPart } from '../../shared/protocol/messages.js';
import type { LeafRange } from '../../shared/reduction/tree.js';
import type { Task } from './step-tasks.js';

/** A relay's answer that is wrong. */
export interface WrongSums {
  readonly memberId: string;
  readonly step: number;
  readonly range: LeafRange;
  readonly hash: string;
  readonly rightHash: string;
  readonly parameter?: string;
}

/** A part of a relay's sums, and how it becomes known whether it is right. */
export interface Suspect {
  readonly part: SumPart;
  /** The hash of the right sums, or the task that computes it. */
  readonly right: string | Task;
}

/** The parts that somebody's sums consist of. */
export interface Suspects {
  /** Whose sums; undefined: the relay's that the inquiry is about. */
  readonly above: Culprit | undefined;
  readonly suspects: readonly Suspect[];
}

/** Somebody below a relay that was wrong. */
export interface Culprit {
  readonly part: SumPart;
  readonly rightHash: string;
}

/** A relay whose sums were wrong, as long as it is not known why. */
export interface Inquiry {
  readonly wrong: WrongSums;
  readonly parts: readonly SumPart[];
  readonly sinceMs: number;
  /** Not known yet. */
  open: readonly Suspects[];
  /** Known. */
  readonly culprits: Culprit[];
  /** Tasks that there are for it alone. */
  readonly checks: Task[];
}
