import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AssertionError } from '../../shared/errors.js';
import { mergePlan, nodeKey } from '../../shared/reduction/merge-plan.js';
import { maximalSubtrees, nodeLeaves, rootLevel, type TreeNode } from '../../shared/reduction/tree.js';

/** Reference implementation: the definition of the tree as an expression. */
function canonical(level: number, index: number, leaves: number): string {
  if (level === 0) return `${index}`;
  const left = canonical(level - 1, 2 * index, leaves);
  const rightExists = (2 * index + 1) * 2 ** (level - 1) < leaves;
  return rightExists ? `(${left}+${canonical(level - 1, 2 * index + 1, leaves)})` : left;
}

function expressionOf(node: TreeNode, leaves: number): string {
  return canonical(node.level, node.index, leaves);
}

/** Runs a plan on expressions; every operand must be available, and is used once. */
function runPlan(
  sums: Map<number, string>,
  available: readonly TreeNode[],
  leaves: number,
): readonly TreeNode[] {
  const { adds, tops } = mergePlan(available, leaves);
  for (const { into, left, right } of adds) {
    const [a, b] = [sums.get(nodeKey(left)), sums.get(nodeKey(right))];
    if (a === undefined || b === undefined) throw new Error('an operand is not available');
    sums.delete(nodeKey(left));
    sums.delete(nodeKey(right));
    sums.set(nodeKey(into), `(${a}+${b})`);
  }
  expect(new Set(tops.map(nodeKey))).toEqual(new Set(sums.keys()));
  return tops;
}

/** A batch of leaves, split anywhere, and its ranges in any order. */
const arrivals = fc.integer({ min: 1, max: 70 }).chain((leaves) =>
  fc
    .array(fc.integer({ min: 0, max: leaves }), { maxLength: 12 })
    .map((edges) => [...new Set([0, leaves, ...edges])].sort((a, b) => a - b))
    .chain((edges) => {
      const ranges = edges.slice(1).map((to, i) => ({ from: edges[i] ?? 0, to }));
      return fc.shuffledSubarray(ranges, { minLength: ranges.length }).map((order) => ({ leaves, order }));
    }),
);

describe('mergePlan', () => {
  it('yields the canonical expression for any split of the batch, in any order of arrival', () => {
    fc.assert(
      fc.property(arrivals, ({ leaves, order }) => {
        const sums = new Map<number, string>();
        let tops: readonly TreeNode[] = [];
        for (const range of order) {
          const parts = maximalSubtrees(range, leaves);
          for (const part of parts) sums.set(nodeKey(part), expressionOf(part, leaves));
          tops = runPlan(sums, [...tops, ...parts], leaves);
        }
        expect(tops).toEqual([{ level: rootLevel(leaves), index: 0 }]);
        expect([...sums.values()]).toEqual([canonical(rootLevel(leaves), 0, leaves)]);
      }),
      { numRuns: 500 },
    );
  });

  it('yields it also when planned once for all parts', () => {
    fc.assert(
      fc.property(arrivals, ({ leaves, order }) => {
        const parts = order.flatMap((range) => maximalSubtrees(range, leaves));
        const sums = new Map(parts.map((part) => [nodeKey(part), expressionOf(part, leaves)]));
        runPlan(sums, parts, leaves);
        expect([...sums.values()]).toEqual([canonical(rootLevel(leaves), 0, leaves)]);
      }),
    );
  });

  it('plans exactly the additions that the tree allows between some of the parts', () => {
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 1, max: 12 }), ({ leaves, order }, count) => {
        const parts = order.slice(0, count).flatMap((range) => maximalSubtrees(range, leaves));
        const sums = new Map(parts.map((part) => [nodeKey(part), expressionOf(part, leaves)]));
        const tops = runPlan(sums, parts, leaves);
        for (const top of tops) expect(sums.get(nodeKey(top))).toBe(expressionOf(top, leaves));
        const covered = tops.map((top) => nodeLeaves(top, leaves));
        const joined: { from: number; to: number }[] = [];
        for (const range of covered) {
          const last = joined.at(-1);
          if (last?.to === range.from) last.to = range.to;
          else joined.push({ ...range });
        }
        expect(tops).toEqual(joined.flatMap((range) => maximalSubtrees(range, leaves)));
      }),
    );
  });

  it('uses a left child without a sibling as its parent', () => {
    const plan = mergePlan(
      [...maximalSubtrees({ from: 0, to: 4 }, 5), ...maximalSubtrees({ from: 4, to: 5 }, 5)],
      5,
    );
    expect(plan.adds).toEqual([
      { into: { level: 3, index: 0 }, left: { level: 2, index: 0 }, right: { level: 2, index: 1 } },
    ]);
    expect(plan.tops).toEqual([{ level: 3, index: 0 }]);
  });

  it('of no nodes is empty, and of the root is the root', () => {
    expect(mergePlan([], 5)).toEqual({ adds: [], tops: [] });
    expect(mergePlan([{ level: 0, index: 0 }], 1)).toEqual({ adds: [], tops: [{ level: 0, index: 0 }] });
  });

  it('does not add neighbours of different parents', () => {
    const available = [
      { level: 0, index: 1 },
      { level: 0, index: 2 },
    ];
    expect(mergePlan(available, 4)).toEqual({ adds: [], tops: available });
  });

  it('refuses nodes that overlap, do not exist or do not have their highest name', () => {
    const leaf = { level: 0, index: 0 };
    expect(() => mergePlan([leaf, leaf], 4)).toThrow(AssertionError);
    expect(() => mergePlan([{ level: 1, index: 0 }, leaf], 4)).toThrow(/shares leaves/);
    expect(() => mergePlan([{ level: 0, index: 4 }], 4)).toThrow(/no node/);
    expect(() => mergePlan([{ level: 0, index: 4 }], 5)).toThrow(/is \(2, 1\) of 5/);
    expect(() => mergePlan([leaf], 0)).toThrow(AssertionError);
  });

  it('gives different nodes different keys', () => {
    const keys = new Set<number>();
    let nodes = 0;
    for (let level = 0; level <= 24; level++) {
      for (const index of [0, 1, 2, 3, 31, 32, 33, 2 ** 24 - 1]) {
        keys.add(nodeKey({ level, index }));
        nodes += 1;
      }
    }
    expect(keys.size).toBe(nodes);
  });
});
