/*
 * The canonical sum, part two: the additions that the tree allows between available partial sums.
 */
import { assert } from '../errors.js';
import { highestName, nodeLeaves, rootLevel, type TreeNode } from './tree.js';

/** One addition of the tree: into = left + right. `into` may be stored over `left` or `right`. */
export interface Add {
  readonly into: TreeNode;
  readonly left: TreeNode;
  readonly right: TreeNode;
}

/** The additions that are possible now, and the nodes that remain. */
export interface MergePlan {
  /** In executable order: an operand is available from the start or the result of an earlier addition. */
  readonly adds: readonly Add[];
  /** The nodes that remain, in leaf order: only the root once all leaves are available. */
  readonly tops: readonly TreeNode[];
}

/** A unique number for each node, as a key for maps. */
export function nodeKey(node: TreeNode): number {
  return node.index * 32 + node.level;
}

/**
 * Plans every addition that the tree allows between the available nodes. A left child without a right sibling (at the end of
 * the batch) needs no addition: it is the same sum as its parent, see tree.ts.
 *
 * The additions in total, and so the bits of the root, do not depend on how the leaves were split or in which order the nodes
 * arrived: a caller may plan once for all nodes, or repeatedly with `tops` and newly arrived nodes.
 * @throws AssertionError when a node does not exist, does not have its highest name, or shares leaves with another
 */
export function mergePlan(available: readonly TreeNode[], leaves: number): MergePlan {
  const byLevel: TreeNode[][] = Array.from({ length: rootLevel(leaves) + 1 }, () => []);
  for (const node of inLeafOrder(available, leaves)) byLevel[node.level]?.push(node);
  const adds: Add[] = [];
  const tops: TreeNode[] = [];
  for (const nodes of byLevel) {
    // Results of the level below were appended after the nodes that were available from the start.
    nodes.sort((a, b) => a.index - b.index);
    for (let i = 0; i < nodes.length; i++) {
      const left = nodes[i] as TreeNode;
      const right = nodes[i + 1];
      if (right === undefined || left.index % 2 !== 0 || right.index !== left.index + 1) {
        tops.push(left);
        continue;
      }
      const into = highestName({ level: left.level + 1, index: left.index / 2 }, leaves);
      adds.push({ into, left, right });
      byLevel[into.level]?.push(into);
      i += 1;
    }
  }
  return { adds, tops: inLeafOrder(tops, leaves) };
}

function inLeafOrder(nodes: readonly TreeNode[], leaves: number): TreeNode[] {
  const ranges = nodes.map((node) => ({ node, range: nodeLeaves(node, leaves) }));
  ranges.sort((a, b) => a.range.from - b.range.from);
  let covered = 0;
  for (const { node, range } of ranges) {
    const { level, index } = node;
    const highest = highestName(node, leaves);
    assert(
      highest.level === level,
      `node (${level}, ${index}) is (${highest.level}, ${highest.index}) of ${leaves}`,
    );
    // A leaf that is counted twice would give wrong gradients without any error.
    assert(range.from >= covered, `node (${level}, ${index}) shares leaves with another one`);
    covered = range.to;
  }
  return ranges.map(({ node }) => node);
}
