import type { Range } from '../shared/sum/leaves.js';

/** A member as the assignment sees it. */
export interface Capacity {
  readonly id: string;
  /** Relative speed, above zero: a member of twice the speed is handed twice the leaves. */
  readonly speed: number;
}

/** A contiguous range of leaves for one member. */
export interface Share {
  readonly memberId: string;
  readonly range: Range;
}

/** Who computes what, and why it was decided so. */
export interface Assignment {
  readonly shares: readonly Share[];
  readonly reason: string;
}

/**
 * Cuts a range of leaves among members in proportion to their speed.
 *
 * Cuts lie at multiples of `granule` leaves, counted from leaf 0 (a virtual group of leaves is never split). The
 * cumulative speed decides each cut, so that rounding never adds up; a member whose share rounds to nothing gets
 * nothing. The weights of the run do not depend on any of this: see shared/sum.
 *
 * @param range the leaves to hand out, `from` a multiple of `granule`
 * @param members in the order in which they get leaves; at least one
 * @param granule leaves in one unit, at least 1
 */
export function assign(range: Range, members: readonly Capacity[], granule: number): Assignment {
  const units = Math.ceil((range.to - range.from) / granule);
  const total = members.reduce((sum, member) => sum + member.speed, 0);
  const shares: Share[] = [];
  let passed = 0;
  let from = range.from;
  for (const member of members) {
    passed += member.speed;
    const cut = range.from + Math.round((units * passed) / total) * granule;
    const to = Math.min(cut, range.to);
    if (to > from) shares.push({ memberId: member.id, range: { from, to } });
    from = Math.max(from, to);
  }
  const leaves = range.to - range.from;
  return {
    shares,
    reason: `${leaves} leaves among ${members.length} members in proportion to their speed, cut at multiples of ${granule}`,
  };
}
