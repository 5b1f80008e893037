import type { LeafRange, TreeNode } from '../../shared/reduction/tree.js';

/** Rehearsals of a member. */
export interface Rehearsals {
  answered: number;
  /** The answer to one was checked, and was right. */
  isChecked: boolean;
  /** No rehearsal before. */
  nextAtMs: number;
  /** Between the next one and the one after it. */
  delayMs: number;
}

/** The rehearsal that is checked. */
export interface RehearsalCheck {
  readonly memberId: string;
  readonly sinceMs: number;
  /** Leaves of a rehearsal that is not checked. */
  readonly leaves: number;
  /** What it was sent; undefined before it is sent. */
  sent: SentRehearsal | undefined;
  /** SHA-256 of the right sums, and of the member's. */
  rightHash: string | undefined;
  hash: string | undefined;
}

/** What a member was sent for its checked rehearsal. */
export interface SentRehearsal {
  readonly step: number;
  readonly range: LeafRange;
  /** The task of the step that has the same leaves. */
  readonly task: number;
  /** The nodes of the tree that are exchanged of it. */
  readonly nodes: readonly TreeNode[];
  /** How often the member had been sent weights then. Once it is sent others, it may compute with those. */
  readonly deliveries: number;
}
