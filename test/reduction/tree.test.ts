import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AssertionError } from '../../shared/errors.js';
import {
  LEAVES_MAX,
  type LeafRange,
  leafCount,
  maximalSubtrees,
  nodeLeaves,
  rootLevel,
  rowsOf,
  splitRange,
} from '../../shared/reduction/tree.js';

const leavesAndRange = fc
  .integer({ min: 1, max: 300 })
  .chain((leaves) =>
    fc
      .tuple(fc.integer({ min: 0, max: leaves }), fc.integer({ min: 0, max: leaves }))
      .map(([a, b]) => ({ leaves, range: { from: Math.min(a, b), to: Math.max(a, b) } })),
  );

function sizeOf({ from, to }: LeafRange): number {
  return to - from;
}

describe('leafCount and rowsOf', () => {
  it('split a batch into leaves, the last one smaller', () => {
    expect(leafCount(128, 16)).toBe(8);
    expect(leafCount(129, 16)).toBe(9);
    expect(leafCount(1, 16)).toBe(1);
    expect(rowsOf({ from: 0, to: 9 }, 129, 16)).toEqual({ first: 0, rows: 129 });
    expect(rowsOf({ from: 8, to: 9 }, 129, 16)).toEqual({ first: 128, rows: 1 });
    expect(rowsOf({ from: 9, to: 9 }, 129, 16)).toEqual({ first: 129, rows: 0 });
  });

  it('put every sample into exactly one leaf', () => {
    const sizes = fc.tuple(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 40 }));
    fc.assert(
      fc.property(sizes, ([batch, leafSize]) => {
        let next = 0;
        for (let leaf = 0; leaf < leafCount(batch, leafSize); leaf++) {
          const { first, rows } = rowsOf({ from: leaf, to: leaf + 1 }, batch, leafSize);
          expect(first).toBe(next);
          expect(rows).toBeGreaterThan(0);
          expect(rows).toBeLessThanOrEqual(leafSize);
          next += rows;
        }
        expect(next).toBe(batch);
      }),
    );
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
    'refuse %s as a batch or a leaf size',
    (bad) => {
      expect(() => leafCount(bad, 16)).toThrow(AssertionError);
      expect(() => leafCount(16, bad)).toThrow(AssertionError);
    },
  );

  it('refuse too many leaves and rows outside the batch', () => {
    expect(leafCount(LEAVES_MAX, 1)).toBe(LEAVES_MAX);
    expect(() => leafCount(LEAVES_MAX + 1, 1)).toThrow(/more than/);
    expect(() => rowsOf({ from: 0, to: 9 }, 128, 16)).toThrow(AssertionError);
  });
});

describe('nodes', () => {
  it('the root covers all leaves', () => {
    for (const leaves of [1, 2, 3, 4, 5, 8, 9, 1000, LEAVES_MAX]) {
      const root = { level: rootLevel(leaves), index: 0 };
      expect(2 ** root.level).toBeGreaterThanOrEqual(leaves);
      expect(2 ** (root.level - 1)).toBeLessThan(leaves);
      expect(nodeLeaves(root, leaves)).toEqual({ from: 0, to: leaves });
      expect(maximalSubtrees({ from: 0, to: leaves }, leaves)).toEqual([root]);
    }
  });

  it('end with the batch', () => {
    expect(nodeLeaves({ level: 2, index: 1 }, 5)).toEqual({ from: 4, to: 5 });
    expect(nodeLeaves({ level: 1, index: 1 }, 5)).toEqual({ from: 2, to: 4 });
  });

  it.each([
    { level: 0, index: 5 },
    { level: 4, index: 0 },
    { level: -1, index: 0 },
    { level: 0, index: -1 },
    { level: 0.5, index: 0 },
    { level: 0, index: Number.NaN },
  ])('$level, $index is not a node of 5 leaves', (node) => {
    expect(() => nodeLeaves(node, 5)).toThrow(AssertionError);
  });
});

describe('maximalSubtrees', () => {
  it('gives a sum at the end of the batch its highest name', () => {
    expect(maximalSubtrees({ from: 4, to: 5 }, 5)).toEqual([{ level: 2, index: 1 }]);
    expect(maximalSubtrees({ from: 1, to: 5 }, 5)).toEqual([
      { level: 0, index: 1 },
      { level: 1, index: 1 },
      { level: 2, index: 1 },
    ]);
  });

  it('covers the range exactly, with the fewest possible nodes', () => {
    fc.assert(
      fc.property(leavesAndRange, ({ leaves, range }) => {
        const nodes = maximalSubtrees(range, leaves);
        let next = range.from;
        for (const node of nodes) {
          const covered = nodeLeaves(node, leaves);
          expect(covered.from).toBe(next);
          next = covered.to;
        }
        expect(next).toBe(range.to);
        expect(nodes.length).toBe(fewestNodes(range, rootLevel(leaves), 0, leaves));
      }),
    );
  });

  it('needs one node for an aligned range and at most 2 log2(leaves) for any', () => {
    fc.assert(
      fc.property(leavesAndRange, ({ leaves, range }) => {
        const bound = Math.max(1, 2 * Math.log2(leaves));
        expect(maximalSubtrees(range, leaves).length).toBeLessThanOrEqual(bound);
      }),
      { numRuns: 500 },
    );
    expect(maximalSubtrees({ from: 64, to: 128 }, 1000)).toEqual([{ level: 6, index: 1 }]);
  });

  it('of an empty range are none', () => {
    expect(maximalSubtrees({ from: 3, to: 3 }, 5)).toEqual([]);
  });

  it.each([
    { from: -1, to: 2 },
    { from: 3, to: 2 },
    { from: 0, to: 6 },
    { from: 0.5, to: 2 },
    { from: 0, to: Number.NaN },
  ])('refuses [$from, $to) of 5 leaves', (range) => {
    expect(() => maximalSubtrees(range, 5)).toThrow(AssertionError);
  });
});

/** Reference implementation: from the root down, a node counts as a whole if it fits, else its children are counted. */
function fewestNodes(range: LeafRange, level: number, index: number, leaves: number): number {
  const from = index * 2 ** level;
  const to = Math.min(from + 2 ** level, leaves);
  if (from >= to || to <= range.from || from >= range.to) return 0;
  if (from >= range.from && to <= range.to) return 1;
  return (
    fewestNodes(range, level - 1, 2 * index, leaves) + fewestNodes(range, level - 1, 2 * index + 1, leaves)
  );
}

describe('splitRange', () => {
  it('splits nearly equally, the larger parts first', () => {
    expect(splitRange({ from: 0, to: 8 }, 3, 1).map(sizeOf)).toEqual([3, 3, 2]);
    expect(splitRange({ from: 0, to: 8 }, 3, 4).map(sizeOf)).toEqual([4, 4, 0]);
    expect(splitRange({ from: 0, to: 2 }, 4, 1).map(sizeOf)).toEqual([1, 1, 0, 0]);
    expect(splitRange({ from: 0, to: 0 }, 2, 1).map(sizeOf)).toEqual([0, 0]);
  });

  it('is contiguous, complete, nearly equal and split at multiples of leavesPerGroup', () => {
    const counts = fc.tuple(leavesAndRange, fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 20 }));
    fc.assert(
      fc.property(counts, ([{ range }, parts, leavesPerGroup]) => {
        const ranges = splitRange(range, parts, leavesPerGroup);
        expect(ranges.length).toBe(parts);
        expect(ranges[0]?.from).toBe(range.from);
        expect(ranges.at(-1)?.to).toBe(range.to);
        const groups = ranges.map(
          ({ from, to }) => Math.ceil(to / leavesPerGroup) - Math.floor(from / leavesPerGroup),
        );
        for (let part = 1; part < parts; part++) {
          const start = ranges[part]?.from ?? Number.NaN;
          expect(start).toBe(ranges[part - 1]?.to);
          if (start !== range.to && start !== range.from) expect(start % leavesPerGroup).toBe(0);
        }
        const busy = ranges.map((r, i) => (sizeOf(r) === 0 ? 0 : (groups[i] ?? 0)));
        expect(Math.max(...busy) - Math.min(...busy)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 500 },
    );
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses %s as parts or leavesPerGroup', (bad) => {
    expect(() => splitRange({ from: 0, to: 4 }, bad, 1)).toThrow(AssertionError);
    expect(() => splitRange({ from: 0, to: 4 }, 1, bad)).toThrow(AssertionError);
  });
});
