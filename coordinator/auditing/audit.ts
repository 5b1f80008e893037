import type { Expel, SumPart } from '../../shared/protocol/messages.js';
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

/** A relay's answer is wrong, and its parts are computed again. */
export function announceInquiry({ step, range: { from, to } }: Place, relay: string): CoordinatorEffect {
  const text = `the sums of ${relay} over the leaves ${from} to ${to} of step ${step} are wrong: what those below it say is computed again`;
  return { kind: 'notice', text };
}

/** Somebody below a relay was wrong. @returns the event for the run's log, and what the relay and people are told */
export function expulsionBelow(
  { step, parameter }: Pick<WrongAnswer, 'step' | 'parameter'>,
  { part: { path, name, range, hash }, rightHash }: { readonly part: SumPart; readonly rightHash: string },
  relay: string,
): { readonly event: Evidence; readonly message: Expel; readonly text: string } {
  const wrong = {
    step,
    range,
    hash,
    rightHash,
    memberId: path,
    ...(parameter !== undefined && { parameter }),
  };
  const member = `${name} (below ${relay})`;
  return {
    event: expulsion(wrong, member).event,
    text: `${member} is expelled there: its sums over the leaves ${range.from} to ${range.to} of step ${step} are wrong`,
    message: { kind: 'expel', path, step, range, hash, rightHash },
  };
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
