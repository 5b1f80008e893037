import { type LeafRange, maximalSubtrees } from '../../shared/reduction/tree.js';
import type { Share } from '../state/messages.js';

/** What the assignment knows of a member: n leaves take it overheadMs + n * msPerLeaf, as many at a time as it computes. */
export interface Capacity {
  readonly id: string;
  /** For the reason. */
  readonly name: string;
  /** Greater than zero. */
  readonly msPerLeaf: number;
  /** What a share costs in addition, whatever its size, such as the time on the network. */
  readonly overheadMs: number;
  /** How many leaves it computes at a time, each in that time: of a relay, replicas. Left out: 1. */
  readonly concurrency?: number;
}

/** Which member computes which leaves, and why. */
export interface Assignment {
  readonly shares: readonly Share[];
  /** Number of members that it was decided for; some may have no share. */
  readonly members: number;
  /** Expected time until the last of them is done. */
  readonly spanMs: number;
  readonly reason: string;
}

/**
 * How far a cut may move from its ideal place to one that gives fewer partial sums, as a fraction of the smaller share beside
 * it: a share that is a subtree has one partial sum, any other has up to two for each level. Both cuts of a share together
 * keep it within 5% of its ideal size.
 */
const CUT_SLACK = 0.025;
/** A cut may move up to this fraction where its leaves take no longer than sending the partial sums that are saved. */
const CUT_SLACK_MOST = 0.15;
/** The fraction of a share's overhead that one vector takes: the weights come, a partial sum goes. */
const VECTOR_PART = 1 / 2;
/** One more partial sum for each share takes this part of a step on the coordinator, which receives them and adds them. */
const ADDITION_PART = 0.08;
/** A new assignment replaces the one in use when it costs less by more than this fraction. */
const GAIN_LEAST = 0.1;
/** Rounding error of the sum of all ideal shares. */
const ROUNDING_LEAVES = 1e-6;
/** Most members whose shares a reason names. */
const NAMED_MAX = 8;

/**
 * Cuts a range of leaves among members so that all are done at the same time.
 *
 * That time T solves sum over i of max(0, (T - overhead_i) / msPerLeaf_i) = leaves: a member of twice the throughput gets
 * twice the leaves, and one whose overhead alone exceeds T gets none. Cuts lie at multiples of `leavesPerGroup` leaves,
 * counted from leaf 0 (a virtual group of leaves is never split). The cumulative ideal decides each cut, so rounding
 * errors do not accumulate; a member whose share rounds to zero gets no leaves. Coarser cuts give fewer partial sums, and are
 * taken where sending and adding these would take longer than the uneven shares do. The weights of the run do not depend on
 * the assignment: see shared/reduction.
 *
 * @param range the leaves to assign, `from` a multiple of `leavesPerGroup`
 * @param members in the order in which they get leaves; at least one
 * @param leavesPerGroup leaves of a virtual group, at least 1
 */
export function assign(range: LeafRange, members: readonly Capacity[], leavesPerGroup: number): Assignment {
  const leaves = range.to - range.from;
  const endMs = commonEndMs(leaves, members);
  const ideals = members.map(({ overheadMs, msPerLeaf }) => Math.max(0, (endMs - overheadMs) / msPerLeaf));
  let shares = cutAt(range, members, ideals, leavesPerGroup);
  const hasOverhead = members.some(({ overheadMs }) => overheadMs > 0);
  for (let unit = 2 * leavesPerGroup; hasOverhead && unit < leaves; unit *= 2) {
    const coarser = cutAt(range, members, ideals, unit);
    // A member that has leaves keeps some.
    if (coarser.length === shares.length && costOf(coarser, members) < costOf(shares, members))
      shares = coarser;
  }
  const reason = reasonFor(leaves, shares, members, leavesPerGroup);
  return { shares, members: members.length, spanMs: costOf(shares, members), reason };
}

/** Shares whose cuts lie at multiples of so many leaves, as near to the ideal as the slack allows. @param ideals leaves of each member */
function cutAt(
  range: LeafRange,
  members: readonly Capacity[],
  ideals: readonly number[],
  unit: number,
): Share[] {
  const leaves = range.to - range.from;
  const shares: Share[] = [];
  let passed = 0;
  let from = range.from;
  members.forEach(({ id }, i) => {
    const ideal = ideals[i] as number;
    passed += ideal;
    const slack = slackAt(members.slice(i, i + 2), Math.min(ideal, ideals[i + 1] ?? 0));
    // Members after the last one with an ideal share get nothing, not the remainder of rounding.
    const isLast = i === members.length - 1 || passed >= leaves - ROUNDING_LEAVES;
    const cut = isLast ? range.to : cutNear(range.from + passed, slack, unit);
    const to = Math.min(Math.max(cut, from), range.to);
    if (to > from) shares.push({ memberId: id, range: { from, to } });
    from = to;
  });
  return shares;
}

/**
 * The assignment of a step: the one in use as long as it is for the same members and no other is a tenth better, because
 * what members have compiled for a range can be used again.
 */
export function reassign(
  inUse: Assignment | undefined,
  range: LeafRange,
  members: readonly Capacity[],
  leavesPerGroup: number,
): Assignment {
  const fresh = assign(range, members, leavesPerGroup);
  if (inUse === undefined || !serves(inUse, range, members)) return fresh;
  const spanMs = costOf(inUse.shares, members);
  return fresh.spanMs < spanMs * (1 - GAIN_LEAST) ? fresh : inUse;
}

/** The time at which all members are done that begin together and share these leaves ideally. */
export function commonEndMs(leaves: number, members: readonly Capacity[]): number {
  const sorted = [...members].sort((a, b) => a.overheadMs - b.overheadMs);
  let rate = 0;
  let spent = 0;
  let endMs = Number.POSITIVE_INFINITY;
  for (const { overheadMs, msPerLeaf, concurrency = 1 } of sorted) {
    // A member whose overhead alone takes longer is left out, and so is every member after it.
    if (overheadMs >= endMs) break;
    const leavesPerMs = concurrency / msPerLeaf;
    rate += leavesPerMs;
    spent += overheadMs * leavesPerMs;
    endMs = (leaves + spent) / rate;
  }
  return endMs;
}

/** The multiple of the greatest power of two of groups within the slack; of one group at least. */
function cutNear(ideal: number, slack: number, leavesPerGroup: number): number {
  for (
    let unit = leavesPerGroup * 2 ** Math.floor(Math.log2(1 + slack / leavesPerGroup) + 1);
    unit > leavesPerGroup;
    unit /= 2
  ) {
    const cut = Math.round(ideal / unit) * unit;
    if (Math.abs(cut - ideal) <= slack) return cut;
  }
  return Math.round(ideal / leavesPerGroup) * leavesPerGroup;
}

/**
 * Leaves by which the cut between two members may move.
 * @param smaller ideal leaves of the smaller share
 */
function slackAt(beside: readonly Capacity[], smaller: number): number {
  const vectorMs = VECTOR_PART * Math.min(...beside.map(({ overheadMs }) => overheadMs));
  const worth = vectorMs / Math.max(...beside.map(({ msPerLeaf }) => msPerLeaf));
  return Math.min(Math.max(worth, CUT_SLACK * smaller), CUT_SLACK_MOST * smaller);
}

/** The time until the last member is done, and what more partial sums than one for each share take to be added. */
function costOf(shares: readonly Share[], members: readonly Capacity[]): number {
  const leaves = shares.at(-1)?.range.to ?? 0;
  const capacities = new Map(members.map((member) => [member.id, member]));
  let [spanMs, extra] = [0, 0];
  for (const { memberId, range } of shares) {
    const { overheadMs, msPerLeaf } = capacities.get(memberId) as Capacity;
    const vectors = maximalSubtrees(range, leaves).length;
    spanMs = Math.max(spanMs, overheadMs * overheadTimes(vectors) + (range.to - range.from) * msPerLeaf);
    extra += vectors - 1;
  }
  const hasOverhead = members.some(({ overheadMs }) => overheadMs > 0);
  return hasOverhead ? spanMs * (1 + (ADDITION_PART * extra) / shares.length) : spanMs;
}

/** How many times the overhead of an answer with one partial sum one with so many takes. */
export function overheadTimes(vectors: number): number {
  return 1 + VECTOR_PART * (vectors - 1);
}

/** Whether an assignment is of these leaves, and was decided for as many members, of which all with shares are still there. */
function serves(inUse: Assignment, range: LeafRange, members: readonly Capacity[]): boolean {
  const { shares } = inUse;
  const ids = new Set(members.map(({ id }) => id));
  return (
    inUse.members === members.length &&
    shares[0]?.range.from === range.from &&
    shares.at(-1)?.range.to === range.to &&
    shares.every(({ memberId }) => ids.has(memberId))
  );
}

function reasonFor(
  leaves: number,
  shares: readonly Share[],
  members: readonly Capacity[],
  leavesPerGroup: number,
): string {
  const names = new Map(members.map(({ id, name }) => [id, name]));
  const counts = shares
    .slice(0, NAMED_MAX)
    .map(({ memberId, range }) => `${names.get(memberId)} ${range.to - range.from}`);
  const rest = shares.length > NAMED_MAX ? `, and ${shares.length - NAMED_MAX} more` : '';
  const cuts = leavesPerGroup === 1 ? '' : `, cut at multiples of ${leavesPerGroup}`;
  return `${leaves} leaves among ${members.length} by measured speed${cuts}: ${counts.join(', ')}${rest}`;
}
