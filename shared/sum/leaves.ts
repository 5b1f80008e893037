/*
 * The canonical sum, part one: which leaves there are and which sums of them the tree knows.
 *
 * A batch is cut into leaves of `leafSize` consecutive samples (the last may be smaller). Node (level, index) of the
 * aligned binary tree stands for the leaves [index * 2^level, (index + 1) * 2^level), cut off at the end of the batch:
 *
 *     (0, i)     = the sum of leaf i, in sample order
 *     (level, i) = (level - 1, 2i) + (level - 1, 2i + 1)     or (level - 1, 2i) alone when the right child is missing
 *
 * At the ragged end one sum therefore has several names: of 5 leaves, (0, 4), (1, 2) and (2, 1) are the same number.
 * Everything here uses the highest of them, so that a sum has ONE name and parts of the program can compare names.
 */
import { assert } from '../errors.js';

/** Most leaves of a batch; keeps every index and every row count an exact integer. */
export const LEAVES_MAX = 2 ** 24;

/** The leaves `from`, `from + 1`, ... `to - 1`; empty when the two are equal. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Whether two ranges are of the same leaves. */
export function isSameRange(a: Range, b: Range): boolean {
  return a.from === b.from && a.to === b.to;
}

/** A node of the aligned binary tree, under its highest name (see the head of this file). */
export interface Node {
  readonly level: number;
  readonly index: number;
}

/**
 * Leaves of a batch of `batch` samples: ceil(batch / leafSize).
 * @throws AssertionError unless both are positive integers and the leaves at most LEAVES_MAX
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
export function rowsOf(range: Range, batch: number, leafSize: number): { first: number; rows: number } {
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
 * The leaves that a node stands for.
 * @throws AssertionError when the tree has no such node
 */
export function nodeLeaves(node: Node, leaves: number): Range {
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

/**
 * The fewest nodes that together stand for exactly the leaves of `range`, in leaf order: one for an aligned range, at
 * most 2 * log2(leaves) for any. They are the only sums of this range that whoever holds it alone may form.
 * @throws AssertionError when the range does not lie within the leaves
 */
export function maximalSubtrees(range: Range, leaves: number): Node[] {
  assertRange(range, leaves);
  const root = rootLevel(leaves);
  const nodes: Node[] = [];
  for (let from = range.from; from < range.to; ) {
    let level = 0;
    // Climb while the parent begins at the same leaf and does not reach beyond the range.
    while (level < root) {
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
 * Cuts a range in `parts` contiguous ranges whose sizes differ by at most one granule, the larger ones first. Cuts lie
 * at multiples of `granule`, counted from leaf 0, so that a virtual group of leaves is never divided. With fewer
 * granules than parts the last ranges are empty.
 * @throws AssertionError on a malformed range, or `parts` or `granule` not a positive integer
 */
export function splitRange(range: Range, parts: number, granule: number): Range[] {
  assertRange(range, LEAVES_MAX);
  assertPositive(parts, 'parts');
  assertPositive(granule, 'granule');
  const firstCell = Math.floor(range.from / granule);
  const cells = Math.ceil(range.to / granule) - firstCell;
  const share = Math.floor(cells / parts);
  const larger = cells % parts;
  const cut = (part: number): number => {
    const cell = firstCell + part * share + Math.min(part, larger);
    return Math.min(Math.max(cell * granule, range.from), range.to);
  };
  return Array.from({ length: parts }, (_, part) => ({ from: cut(part), to: cut(part + 1) }));
}

function assertRange(range: Range, leaves: number): void {
  assertLeaves(leaves);
  const { from, to } = range;
  const within =
    Number.isSafeInteger(from) && Number.isSafeInteger(to) && 0 <= from && from <= to && to <= leaves;
  assert(within, `[${from}, ${to}) is not a range of ${leaves} leaves`);
}

function assertLeaves(leaves: number): void {
  assertPositive(leaves, 'leaves');
  assert(leaves <= LEAVES_MAX, `${leaves} leaves are more than the ${LEAVES_MAX} that a batch may have`);
}

function assertPositive(value: number, name: string): void {
  assert(Number.isSafeInteger(value) && value > 0, `${name} must be a positive integer, not ${value}`);
}
