import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Assignment,
  assign,
  type Capacity,
  reassign,
} from '../../../coordinator/scheduling/assignment.js';
import { maximalSubtrees } from '../../../shared/reduction/tree.js';

const members = fc
  .array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 12 })
  .map((speeds) =>
    speeds.map((speed, i) => ({ id: `m${i}`, name: `m${i}`, msPerLeaf: 1 / speed, overheadMs: 0 })),
  );

function member(id: string, speed: number, overheadMs = 0): Capacity {
  return { id, name: id, msPerLeaf: 1 / speed, overheadMs };
}

function countsOf({ shares }: Assignment): Record<string, number> {
  return Object.fromEntries(shares.map(({ memberId, range }) => [memberId, range.to - range.from]));
}

describe('assignment of leaves', () => {
  it('assigns every leaf exactly once, in order, cut at groups of leaves', () => {
    fc.assert(
      fc.property(
        members,
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 7 }),
        (everyone, leaves, leavesPerGroup) => {
          const { shares } = assign({ from: 0, to: leaves }, everyone, leavesPerGroup);
          expect(shares[0]?.range.from).toBe(0);
          expect(shares.at(-1)?.range.to).toBe(leaves);
          shares.forEach(({ range }, i) => {
            expect(range.to).toBeGreaterThan(range.from);
            expect(range.from % leavesPerGroup).toBe(0);
            if (i > 0) expect(range.from).toBe(shares[i - 1]?.range.to);
          });
        },
      ),
    );
  });

  it('assigns leaves in proportion to throughput, within one leaf or a twentieth', () => {
    fc.assert(
      fc.property(members, fc.integer({ min: 1, max: 500 }), (everyone, leaves) => {
        const { shares } = assign({ from: 0, to: leaves }, everyone, 1);
        const total = everyone.reduce((sum, { msPerLeaf }) => sum + 1 / msPerLeaf, 0);
        for (const { id, msPerLeaf } of everyone) {
          const range = shares.find((share) => share.memberId === id)?.range ?? { from: 0, to: 0 };
          const ideal = leaves / msPerLeaf / total;
          expect(Math.abs(range.to - range.from - ideal)).toBeLessThanOrEqual(
            Math.max(1, 0.05 * ideal) + 1e-9,
          );
        }
      }),
    );
  });

  it('assigns a part of a batch', () => {
    const { shares } = assign({ from: 6, to: 10 }, [member('a', 1), member('b', 3)], 2);
    expect(shares).toEqual([
      { memberId: 'a', range: { from: 6, to: 8 } },
      { memberId: 'b', range: { from: 8, to: 10 } },
    ]);
  });

  it('gives its reason', () => {
    const { reason } = assign({ from: 0, to: 8 }, [member('a', 1)], 2);
    expect(reason).toBe('8 leaves among 1 by measured speed, cut at multiples of 2: a 8');
  });

  it('lets all members end within a tenth of the ideal time, also with one at a quarter of the speed', () => {
    const everyone = [member('a', 4), member('b', 4), member('c', 4), member('slow', 1)];
    const { spanMs } = assign({ from: 0, to: 128 }, everyone, 1);
    expect(spanMs).toBeLessThan((128 / 13) * 1.1);
  });

  it('counts overhead: a distant member gets fewer leaves, and none when the others end before its overhead', () => {
    const all = { from: 0, to: 64 };
    expect(countsOf(assign(all, [member('near', 1), member('far', 1, 16)], 1))).toEqual({
      near: 32,
      far: 32,
    });
    expect(countsOf(assign(all, [member('near', 1), member('far', 1, 32)], 1))).toEqual({
      near: 48,
      far: 16,
    });
    expect(countsOf(assign(all, [member('near', 1), member('far', 1, 64)], 1))).toEqual({ near: 64 });
  });

  it('prefers cuts that give few partial sums, within a slack of a fortieth', () => {
    const { shares } = assign({ from: 0, to: 1024 }, [member('a', 1), member('b', 1.02)], 1);
    expect(shares.map(({ range }) => maximalSubtrees(range, 1024).length)).toEqual([1, 1]);
  });

  it('moves a cut farther where sending another vector takes longer than computing the leaves', () => {
    const all = { from: 0, to: 8 };
    const near = [member('a', 1), member('b', 0.8)];
    const far = [member('a', 1, 16), member('b', 0.8, 16)];
    expect(countsOf(assign(all, near, 1))).toEqual({ a: 4, b: 4 });
    const many = { from: 0, to: 64 };
    expect(countsOf(assign(many, near, 1))).toEqual({ a: 36, b: 28 });
    expect(countsOf(assign(many, far, 1))).toEqual({ a: 32, b: 32 });
    // Shares of 5 and 3 leaves have four partial sums to send instead of two.
    expect(countsOf(assign(all, [member('a', 1, 4), member('b', 0.5, 4)], 1))).toEqual({ a: 4, b: 4 });
    const uneven = assign(all, [member('a', 1), member('b', 0.6)], 1);
    expect(countsOf(uneven)).toEqual({ a: 5, b: 3 });
    expect(countsOf(reassign(uneven, all, [member('a', 1, 4), member('b', 1, 4)], 1))).toEqual({
      a: 4,
      b: 4,
    });
  });

  it('keeps the assignment in use until another one is a tenth better, or the members change', () => {
    const all = { from: 0, to: 64 };
    const inUse = assign(all, [member('a', 1), member('b', 1)], 1);
    expect(reassign(inUse, all, [member('a', 1), member('b', 1.1)], 1)).toBe(inUse);
    expect(countsOf(reassign(inUse, all, [member('a', 1), member('b', 3)], 1))).toEqual({ a: 16, b: 48 });
    expect(countsOf(reassign(inUse, all, [member('a', 1), member('c', 1)], 1))).toEqual({ a: 32, c: 32 });
    expect(countsOf(reassign(inUse, { from: 0, to: 32 }, [member('a', 1), member('b', 1)], 1))).toEqual({
      a: 16,
      b: 16,
    });
  });
});
