import type { LeafRange } from '../../shared/reduction/tree.js';
import type { CoordinatorEffect } from '../state/messages.js';
import type { Evidence } from '../state/observer.js';

/* What follows when two members answered the same task with different bits. */

/** Where answers differ. */
interface Place {
  readonly step: number;
  readonly range: LeafRange;
}

/** Nothing decides yet who is right. */
export function announceDispute({ step, range: { from, to } }: Place): CoordinatorEffect {
  const text = `two members differ over the leaves ${from} to ${to} of step ${step}: a third is asked`;
  return { kind: 'notice', text };
}

/** A member's answer that is wrong. */
export interface WrongAnswer extends Place {
  readonly memberId: string;
  readonly hash: string;
  readonly rightHash: string;
  /** The first in which the bits differ; undefined: it was an answer to a rehearsal. */
  readonly parameter?: string;
}

/** A member's answer is wrong. @returns the event for the run's log, and the reason that the member is given */
export function expulsion(
  { step, range: { from, to }, hash, rightHash, parameter }: WrongAnswer,
  member: string,
): { readonly event: Evidence; readonly reason: string } {
  const where = parameter === undefined ? 'in a rehearsal' : `first in ${parameter}`;
  const answer = { step, from, to, member, hash, rightHash, parameter: parameter ?? 'rehearsal' };
  return {
    event: { event: 'expelled', ...answer },
    reason: `its sums over the leaves ${from} to ${to} of step ${step} are wrong, ${where}`,
  };
}
