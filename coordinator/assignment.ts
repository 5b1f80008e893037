import { maximalSubtrees, type Range } from '../shared/sum/leaves.js';

/** A member as the assignment sees it: n leaves take it overheadMs + n * msPerLeaf. */
export interface Capacity {
  readonly id: string;
  /** For people. */
  readonly name: string;
  /** Above zero. */
  readonly msPerLeaf: number;
  /** What every share costs besides, such as its way there and back. */
  readonly overheadMs: number;
}

/** A contiguous range of leaves for one member. */
export interface Share {
  readonly memberId: string;
  readonly range: Range;
}

/** Who computes what, and why it was decided so. */
export interface Assignment {
  readonly shares: readonly Share[];
  /** Among how many it was decided. */
  readonly members: number;
  /** When the last of them is expected to be done. */
  readonly spanMs: number;
  readonly reason: string;
}

/**
 * How far a cut may move off the ideal place to one that the tree likes better, as a part of the smaller share beside
 * it: a share that is a subtree is one partial sum, any other up to two for each level. Both cuts of a share together
 * keep it within 5% of what is ideal.
 */
const CUT_SLACK = 0.025;
/** Farther, up to this part, where the leaves take no longer than sending the partial sums that are saved. */
const CUT_SLACK_MOST = 0.15;
/** What of a share's overhead goes with one vector: the weights come, a partial sum goes. */
const VECTOR_PART = 1 / 2;
/** A new assignment replaces the one in use when it ends the step sooner by more than this part. */
const GAIN_LEAST = 0.1;
/** What the sum of all ideal shares may miss of the whole. */
const ROUNDING_LEAVES = 1e-6;
/** Members whose shares a reason names. */
const NAMED_MAX = 8;

/**
 * Cuts a range of leaves among members so that all are done at the same time.
 *
 * That time T solves sum over i of max(0, (T - overhead_i) / msPerLeaf_i) = leaves: a member of twice the speed is
 * handed twice the leaves, and one whose overhead alone exceeds T gets none. Cuts lie at multiples of `granule`
 * leaves, counted from leaf 0 (a virtual group of leaves is never split). The cumulative ideal decides each cut, so
 * that rounding never adds up; a member whose share rounds to nothing gets nothing. The weights of the run do not
 * depend on any of this: see shared/sum.
 *
 * @param range the leaves to hand out, `from` a multiple of `granule`
 * @param members in the order in which they get leaves; at least one
 * @param granule leaves in one unit, at least 1
 */
export function assign(range: Range, members: readonly Capacity[], granule: number): Assignment {
  const leaves = range.to - range.from;
  const endMs = commonEnd(leaves, members);
  const ideals = members.map(({ overheadMs, msPerLeaf }) => Math.max(0, (endMs - overheadMs) / msPerLeaf));
  const shares: Share[] = [];
  let passed = 0;
  let from = range.from;
  members.forEach(({ id }, i) => {
    const ideal = ideals[i] as number;
    passed += ideal;
    const slack = slackAt(members.slice(i, i + 2), Math.min(ideal, ideals[i + 1] ?? 0));
    // Whoever comes after the last that is to have any gets nothing, not what rounding left over.
    const isLast = i === members.length - 1 || passed >= leaves - ROUNDING_LEAVES;
    const cut = isLast ? range.to : cutNear(range.from + passed, slack, granule);
    const to = Math.min(Math.max(cut, from), range.to);
    if (to > from) shares.push({ memberId: id, range: { from, to } });
    from = to;
  });
  const reason = reasonFor(leaves, shares, members, granule);
  return { shares, members: members.length, spanMs: spanOf(shares, members), reason };
}

/**
 * The assignment of a step: the one in use as long as it serves the same members and no other is better by a tenth,
 * for what was laid out for a range can be used again.
 */
export function reassign(
  inUse: Assignment | undefined,
  range: Range,
  members: readonly Capacity[],
  granule: number,
): Assignment {
  const fresh = assign(range, members, granule);
  if (inUse === undefined || !serves(inUse, range, members)) return fresh;
  const spanMs = spanOf(inUse.shares, members);
  return fresh.spanMs < spanMs * (1 - GAIN_LEAST) ? fresh : inUse;
}

/** When all are done that begin together and share so many leaves without a rest. */
function commonEnd(leaves: number, members: readonly Capacity[]): number {
  const sorted = [...members].sort((a, b) => a.overheadMs - b.overheadMs);
  let rate = 0;
  let spent = 0;
  let endMs = Number.POSITIVE_INFINITY;
  for (const { overheadMs, msPerLeaf } of sorted) {
    // Whoever is not even there by then is left out, and so is everyone after it.
    if (overheadMs >= endMs) break;
    rate += 1 / msPerLeaf;
    spent += overheadMs / msPerLeaf;
    endMs = (leaves + spent) / rate;
  }
  return endMs;
}

/** The multiple of the greatest power of two (of granules) within the slack; of one granule at least. */
function cutNear(ideal: number, slack: number, granule: number): number {
  for (let unit = granule * 2 ** Math.floor(Math.log2(1 + slack / granule) + 1); unit > granule; unit /= 2) {
    const cut = Math.round(ideal / unit) * unit;
    if (Math.abs(cut - ideal) <= slack) return cut;
  }
  return Math.round(ideal / granule) * granule;
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

/** When the last is done; each partial sum beyond a share's first is one more vector to send. */
function spanOf(shares: readonly Share[], members: readonly Capacity[]): number {
  const leaves = shares.at(-1)?.range.to ?? 0;
  const capacities = new Map(members.map((member) => [member.id, member]));
  return shares.reduce((span, { memberId, range }) => {
    const { overheadMs, msPerLeaf } = capacities.get(memberId) as Capacity;
    const more = maximalSubtrees(range, leaves).length - 1;
    return Math.max(span, overheadMs * (1 + VECTOR_PART * more) + (range.to - range.from) * msPerLeaf);
  }, 0);
}

/** Whether an assignment hands out the same leaves to some of these members, who were as many then. */
function serves(inUse: Assignment, range: Range, members: readonly Capacity[]): boolean {
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
  granule: number,
): string {
  const names = new Map(members.map(({ id, name }) => [id, name]));
  const counts = shares
    .slice(0, NAMED_MAX)
    .map(({ memberId, range }) => `${names.get(memberId)} ${range.to - range.from}`);
  const rest = shares.length > NAMED_MAX ? `, and ${shares.length - NAMED_MAX} more` : '';
  const cuts = granule === 1 ? '' : `, cut at multiples of ${granule}`;
  return `${leaves} leaves among ${members.length} by measured speed${cuts}: ${counts.join(', ')}${rest}`;
}
