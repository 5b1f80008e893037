/*
 * The canonical sum, part one: the leaves of a batch, and the nodes of the tree over them.
 *
 * A batch is split into leaves of `leafSize` consecutive samples (the last may be smaller). Node (level, index) of the aligned
 * binary tree is the sum of the leaves [index * 2^level, (index + 1) * 2^level), as far as they exist:
 *
 *     (0, i)     = the sum of leaf i, in sample order
 *     (level, i) = (level - 1, 2i) + (level - 1, 2i + 1)     or (level - 1, 2i) alone when the right child is missing
 *
 * At the end of the batch one sum can therefore have several names: with 5 leaves, (0, 4), (1, 2) and (2, 1) are the same sum.
 * All functions here use the highest name, so that a sum has ONE name and names can be compared.
 */
import { assert } from '../errors.js';

/** Largest number of leaves of a batch; keeps every index and every row count an exact integer. */
export const LEAVES_MAX = 2 ** 24;

/** The leaves `from`, `from + 1`, ... `to - 1`; empty when the two are equal. */
export interface LeafRange {
  readonly from: number;
  readonly to: number;
}

/** Whether two ranges contain the same leaves. */
export function isSameRange(a: LeafRange, b: LeafRange): boolean {
  return a.from === b.from && a.to === b.to;
}

/** A node of the aligned binary tree, with its highest name (see the head of this file). */
export interface TreeNode {
  readonly level: number;
  readonly index: number;
}

/**
 * Number of leaves of a batch of `batch` samples: ceil(batch / leafSize).
 * @throws AssertionError unless both are positive integers and the number of leaves is at most LEAVES_MAX
 */
export function leafCount(batch: number, leafSize: number): number {
  assertPositive(batch, 'batch');
  assertPositive(leafSize, 'leafSize');
  const leaves = Math.ceil(batch / leafSize);
  assertLeaves(leaves);
  return leaves;
}

/**
 * The rows of a batch that a range of leaves covers; the last leaf of the batch may be smaller than the others.
 * @throws AssertionError when the range does not lie within the batch
 */
export function rowsOf(range: LeafRange, batch: number, leafSize: number): { first: number; rows: number } {
  assertRange(range, leafCount(batch, leafSize));
  const first = Math.min(range.from * leafSize, batch);
  return { first, rows: Math.min(range.to * leafSize, batch) - first };
}

/** Level of the tree's root: ceil(log2(leaves)). The root is node (rootLevel(leaves), 0). */
export function rootLevel(leaves: number): number {
  assertLeaves(leaves);
  return 32 - Math.clz32(leaves - 1);
}

/**
 * The leaves whose sum a node is.
 * @throws AssertionError when the tree has no such node
 */
export function nodeLeaves(node: TreeNode, leaves: number): LeafRange {
  const isNode =
    Number.isSafeInteger(node.level) &&
    Number.isSafeInteger(node.index) &&
    node.level >= 0 &&
    node.level <= rootLevel(leaves) &&
    node.index >= 0 &&
    node.index * 2 ** node.level < leaves;
  assert(isNode, `a tree of ${leaves} leaves has no node (${node.level}, ${node.index})`);
  const from = node.index * 2 ** node.level;
  return { from, to: Math.min(from + 2 ** node.level, leaves) };
}

/** The highest name of a node: while it is a left child without a right sibling, its parent is the same sum. */
export function highestName(node: TreeNode, leaves: number): TreeNode {
  let { level, index } = node;
  const root = rootLevel(leaves);
  while (level < root && index % 2 === 0 && (index + 1) * 2 ** level >= leaves) {
    level += 1;
    index /= 2;
  }
  return { level, index };
}

/**
 * The fewest nodes that cover exactly the leaves of `range`, in leaf order: one for an aligned range, at most
 * 2 * log2(leaves) for any. A worker that computes only this range may form no larger sums.
 * @param levelMax nodes of higher levels are left out, in favour of more nodes
 * @throws AssertionError when the range does not lie within the leaves
 */
export function maximalSubtrees(range: LeafRange, leaves: number, levelMax = rootLevel(leaves)): TreeNode[] {
  assertRange(range, leaves);
  const nodes: TreeNode[] = [];
  for (let from = range.from; from < range.to; ) {
    let level = 0;
    // Climb while the parent starts at the same leaf and does not extend beyond the range.
    while (level < levelMax) {
      const size = 2 ** (level + 1);
      if (from % size !== 0 || Math.min(from + size, leaves) > range.to) break;
      level += 1;
    }
    nodes.push({ level, index: from / 2 ** level });
    from += 2 ** level;
  }
  return nodes;
}

/**
 * Splits a range into `parts` contiguous ranges whose sizes differ by at most one group, the larger ones first. Groups start at
 * multiples of `leavesPerGroup`, counted from leaf 0, and are never split. With fewer groups than parts the last ranges are
 * empty.
 * @throws AssertionError on a malformed range, or `parts` or `leavesPerGroup` not a positive integer
 */
export function splitRange(range: LeafRange, parts: number, leavesPerGroup: number): LeafRange[] {
  assertRange(range, LEAVES_MAX);
  assertPositive(parts, 'parts');
  assertPositive(leavesPerGroup, 'leavesPerGroup');
  const firstGroup = Math.floor(range.from / leavesPerGroup);
  const groups = Math.ceil(range.to / leavesPerGroup) - firstGroup;
  const share = Math.floor(groups / parts);
  const larger = groups % parts;
  const startOf = (part: number): number => {
    const group = firstGroup + part * share + Math.min(part, larger);
    return Math.min(Math.max(group * leavesPerGroup, range.from), range.to);
  };
  return Array.from({ length: parts }, (_, part) => ({ from: startOf(part), to: startOf(part + 1) }));
}

function assertRange(range: LeafRange, leaves: number): void {
  assertLeaves(leaves);
  const { from, to } = range;
  const within =
    Number.isSafeInteger(from) && Number.isSafeInteger(to) && 0 <= from && from <= to && to <= leaves;
  assert(within, `[${from}, ${to}) is not a range of ${leaves} leaves`);
}

function assertLeaves(leaves: number): void {
  assertPositive(leaves, 'leaves');
  assert(leaves <= LEAVES_MAX, `${leaves} leaves are more than the maximum of ${LEAVES_MAX} for a batch`);
}

function assertPositive(value: number, name: string): void {
  assert(Number.isSafeInteger(value) && value > 0, `${name} must be a positive integer, not ${value}`);
}
