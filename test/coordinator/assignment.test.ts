import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assign } from '../../coordinator/assignment.js';

const members = fc
  .array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 12 })
  .map((speeds) => speeds.map((speed, i) => ({ id: `m${i}`, speed })));

describe('assignment of leaves', () => {
  it('hands out every leaf exactly once, in order, cut at granules', () => {
    fc.assert(
      fc.property(
        members,
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 7 }),
        (who, leaves, granule) => {
          const { shares } = assign({ from: 0, to: leaves }, who, granule);
          expect(shares[0]?.range.from).toBe(0);
          expect(shares.at(-1)?.range.to).toBe(leaves);
          shares.forEach(({ range }, i) => {
            expect(range.to).toBeGreaterThan(range.from);
            expect(range.from % granule).toBe(0);
            if (i > 0) expect(range.from).toBe(shares[i - 1]?.range.to);
          });
        },
      ),
    );
  });

  it('hands out in proportion to speed, within one granule', () => {
    fc.assert(
      fc.property(members, fc.integer({ min: 1, max: 500 }), (who, leaves) => {
        const { shares } = assign({ from: 0, to: leaves }, who, 1);
        const total = who.reduce((sum, { speed }) => sum + speed, 0);
        for (const { id, speed } of who) {
          const range = shares.find((share) => share.memberId === id)?.range ?? { from: 0, to: 0 };
          expect(Math.abs(range.to - range.from - (leaves * speed) / total)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('keeps to the part of the batch that it is given', () => {
    const { shares } = assign(
      { from: 6, to: 10 },
      [
        { id: 'a', speed: 1 },
        { id: 'b', speed: 3 },
      ],
      2,
    );
    expect(shares).toEqual([
      { memberId: 'a', range: { from: 6, to: 8 } },
      { memberId: 'b', range: { from: 8, to: 10 } },
    ]);
  });

  it('says why', () => {
    const { reason } = assign({ from: 0, to: 8 }, [{ id: 'a', speed: 1 }], 2);
    expect(reason).toBe('8 leaves among 1 members in proportion to their speed, cut at multiples of 2');
  });
});
