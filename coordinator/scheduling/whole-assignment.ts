import type { LeafRange } from '../../shared/reduction/tree.js';
import type { Assignment, Capacity } from './assignment.js';

/** Most members whose shares a reason names. */
const NAMED_MAX = 8;

/** A member, and the leaves that it has to compute before. */
interface Member extends Capacity {
  readonly owed?: number;
}

/**
 * Assigns leaves that are few and long, such as the replicas of a round: one after the other goes to the member that would be
 * done with it first. So the last member is done as early as possible, which ideal shares, rounded, do not ensure. A member
 * that would delay the others gets none.
 * @param members in the order in which they get leaves; at least one
 */
export function assignWhole(range: LeafRange, members: readonly Member[]): Assignment {
  const counts = members.map(() => 0);
  const endMs = (i: number): number => {
    const { overheadMs, msPerLeaf, concurrency = 1, owed = 0 } = members[i] as Member;
    const leaves = owed + (counts[i] as number) + 1;
    // The fewer are computed at a time, the less their results wait for each other.
    const part = Math.min(1, leaves / concurrency);
    return part * overheadMs + Math.ceil(leaves / concurrency) * msPerLeaf;
  };
  let spanMs = 0;
  for (let leaf = range.from; leaf < range.to; leaf++) {
    const soonest = counts.reduce((best, _, i) => (endMs(i) < endMs(best) ? i : best), 0);
    spanMs = Math.max(spanMs, endMs(soonest));
    counts[soonest] = (counts[soonest] as number) + 1;
  }
  let from = range.from;
  const shares = members.flatMap(({ id }, i) => {
    const share = { memberId: id, range: { from, to: from + (counts[i] as number) } };
    from = share.range.to;
    return share.range.to > share.range.from ? [share] : [];
  });
  const named = members.flatMap(({ name }, i) => ((counts[i] as number) > 0 ? [`${name} ${counts[i]}`] : []));
  const rest = named.length > NAMED_MAX ? `, and ${named.length - NAMED_MAX} more` : '';
  const reason = `${range.to - range.from} replicas among ${members.length} by measured speed: ${named.slice(0, NAMED_MAX).join(', ')}${rest}`;
  return { shares, members: members.length, spanMs, reason };
}
