/*
 * The canonical sum, part two: which additions the tree allows between sums that are at hand, whoever made them.
 */
import { assert } from '../errors.js';
import { type Node, nodeLeaves, rootLevel } from './leaves.js';

/** One addition of the tree: into = left + right. `into` may be stored over `left` or `right`. */
export interface Add {
  readonly into: Node;
  readonly left: Node;
  readonly right: Node;
}

/** What can be added now, and what is there afterwards. */
export interface MergePlan {
  /** In executable order: an operand is available from the start or the result of an earlier addition. */
  readonly adds: readonly Add[];
  /** The nodes that remain, in leaf order: just the root once all leaves are in. */
  readonly tops: readonly Node[];
}

/** A number for a node, different for different nodes: a key for maps. */
export function nodeKey(node: Node): number {
  return node.index * 32 + node.level;
}

/**
 * Plans every addition that the tree allows between the available nodes. A left child whose right sibling does not
 * exist (the ragged end) needs no addition: it passes through under its parent's name, as in leaves.ts.
 *
 * The additions made in the end, and so the bits of the root, do not depend on how the leaves were divided or in which
 * order the nodes arrived; `adds` can be run at once or bit by bit, feeding `tops` in again with what arrives next.
 * @throws AssertionError when a node does not exist, is not under its highest name, or shares leaves with another
 */
export function mergePlan(available: readonly Node[], leaves: number): MergePlan {
  const byLevel: Node[][] = Array.from({ length: rootLevel(leaves) + 1 }, () => []);
  for (const node of inLeafOrder(available, leaves)) byLevel[node.level]?.push(node);
  const adds: Add[] = [];
  const tops: Node[] = [];
  for (const nodes of byLevel) {
    // Results of the level below were appended after the nodes that were available from the start.
    nodes.sort((a, b) => a.index - b.index);
    for (let i = 0; i < nodes.length; i++) {
      const left = nodes[i] as Node;
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

/** Climbs while the node is a left child without a right sibling: such a parent is the same sum. */
function highestName(node: Node, leaves: number): Node {
  let { level, index } = node;
  const root = rootLevel(leaves);
  while (level < root && index % 2 === 0 && (index + 1) * 2 ** level >= leaves) {
    level += 1;
    index /= 2;
  }
  return { level, index };
}

function inLeafOrder(nodes: readonly Node[], leaves: number): Node[] {
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
    // A leaf counted twice would train on, wrong and unseen.
    assert(range.from >= covered, `node (${level}, ${index}) shares leaves with another one`);
    covered = range.to;
  }
  return ranges.map(({ node }) => node);
}
