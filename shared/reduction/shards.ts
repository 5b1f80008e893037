/*
 * The canonical sum, part three: which partial sums are rounded by a codec (shared/codec), and which of them are exchanged.
 *
 * A batch has up to SHARDS_MAX shards: the nodes of one level of the tree, which depends on the size of a whole batch alone.
 * Shards are never split between workers. With a codec, the sum of a shard is rounded, and so is each sum of sums above it,
 * up to the two children of the root. So a node has the same bits on every machine, and it can be sent as codes. The root
 * is computed by the coordinator, or by the local workers alone; it is rounded in another way, see step-compiler.ts.
 */
import { highestName, type LeafRange, maximalSubtrees, rootLevel, type TreeNode } from './tree.js';

/** Most shards of a batch, and most workers that a batch can be divided among, as a power of two. */
const SHARDS_MAX_LOG2 = 3;

/** The level of the shards of a run whose whole batch has so many leaves. */
export function shardLevelOf(batchLeaves: number): number {
  return Math.max(0, rootLevel(batchLeaves) - SHARDS_MAX_LOG2);
}

/** The shards of a range of leaves that splits none, in leaf order. The last batch of an epoch may be smaller than a shard. */
export function shardsOf(range: LeafRange, leaves: number, shardLevel: number): TreeNode[] {
  const level = Math.min(shardLevel, rootLevel(leaves));
  return maximalSubtrees(range, leaves, level).map((node) => highestName(node, leaves));
}

/**
 * The partial sums of a range that are exchanged, in leaf order: its maximal aligned subtrees; with a codec not the root,
 * but its two children.
 * @param shardLevel undefined: there is no codec
 */
export function exchangedNodes(range: LeafRange, leaves: number, shardLevel: number | undefined): TreeNode[] {
  const root = rootLevel(leaves);
  const isWhole = shardLevel === undefined || root <= shardLevel;
  return maximalSubtrees(range, leaves, isWhole ? root : root - 1);
}

/**
 * How many consecutive leaves are never split between workers: whole groups, and with a codec whole shards.
 * @param leavesPerGroup of batch statistics
 */
export function leavesPerCut(leavesPerGroup: number, shardLevel: number | undefined): number {
  let leaves = leavesPerGroup;
  // The least common multiple with a power of two.
  while (shardLevel !== undefined && leaves % 2 ** shardLevel !== 0) leaves *= 2;
  return leaves;
}
