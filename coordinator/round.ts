import type { Partial } from '../shared/engine/partials.js';
import { maximalSubtrees, type Range } from '../shared/sum/leaves.js';
import type { Share } from './assignment.js';

/** The life of one step: who still owes which leaves, and what has arrived. */
export interface Round {
  readonly step: number;
  /** Leaves of this step's batch. */
  readonly leaves: number;
  /** Shares handed out and not yet answered. */
  owed: Share[];
  /** Ranges that nobody has at the moment: their member left, and no other was ready. */
  orphaned: Range[];
  arrived: Partial[];
}

/** Why an answer was not counted. */
export type Refusal = 'another-step' | 'not-owed' | 'wrong-nodes';

/** Opens the round of a step with all its shares owed. */
export function openRound(step: number, leaves: number, shares: readonly Share[]): Round {
  return { step, leaves, owed: [...shares], orphaned: [], arrived: [] };
}

/**
 * Takes a member's answer into the round, or says why not. An answer counts when the member owes exactly this range
 * in this step, and brings exactly the maximal aligned subtrees of it.
 */
export function takeAnswer(
  round: Round,
  memberId: string,
  step: number,
  range: Range,
  partials: readonly Partial[],
): Refusal | undefined {
  if (step !== round.step) return 'another-step';
  const index = round.owed.findIndex((share) => share.memberId === memberId && sameRange(share.range, range));
  if (index < 0) return 'not-owed';
  const expected = maximalSubtrees(range, round.leaves);
  const whole =
    expected.length === partials.length &&
    expected.every(
      (node, i) => node.level === partials[i]?.node.level && node.index === partials[i]?.node.index,
    );
  if (!whole) return 'wrong-nodes';
  round.owed.splice(index, 1);
  round.arrived.push(...partials);
  return undefined;
}

/** Takes back what a departed member owed; the ranges are orphaned until they are handed out again. */
export function releaseMember(round: Round, memberId: string): void {
  const lost = round.owed.filter((share) => share.memberId === memberId);
  round.owed = round.owed.filter((share) => share.memberId !== memberId);
  round.orphaned.push(...lost.map((share) => share.range));
}

/** Hands orphaned ranges out: records the shares as owed. */
export function adopt(round: Round, shares: readonly Share[]): void {
  round.orphaned = [];
  round.owed.push(...shares);
}

/** All leaves of the step have arrived. */
export function isCovered(round: Round): boolean {
  return round.owed.length === 0 && round.orphaned.length === 0;
}

function sameRange(a: Range, b: Range): boolean {
  return a.from === b.from && a.to === b.to;
}
