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

/** A member's answer is wrong; without `parameter`, it was one to a rehearsal. @returns the event for the run's log, and the reason that the member is given */
export function expulsion(
  { step, range }: Place,
  member: string,
  evidence: { readonly hash: string; readonly rightHash: string; readonly parameter?: string },
): { readonly event: Evidence; readonly reason: string } {
  const { from, to } = range;
  const { hash, rightHash, parameter = 'rehearsal' } = evidence;
  const where = evidence.parameter === undefined ? 'in a rehearsal' : `first in ${parameter}`;
  const event = { event: 'expelled', step, from, to, member, hash, rightHash, parameter } as const;
  return {
    event,
    reason: `its sums over the leaves ${from} to ${to} of step ${step} are wrong, ${where}`,
  };
}
