import { describe, expect, it } from 'vitest';
import { answerSegmentsMax, memberBounds } from '../../../coordinator/membership/frame-limits.js';
import { cutVector, SEGMENT_BYTES } from '../../../shared/reduction/segments.js';
import { maximalSubtrees } from '../../../shared/reduction/tree.js';

/** The largest number of partial sums of any share. */
function most(leaves: number): number {
  let sums = 0;
  for (let from = 0; from < leaves; from++)
    for (let to = from + 1; to <= leaves; to++)
      sums = Math.max(sums, maximalSubtrees({ from, to }, leaves).length);
  return sums;
}

describe('what a member may send', () => {
  it.each(Array.from({ length: 34 }, (_, i) => i + 1))(
    'is as many segments as the sums of any share of %i leaves have, and hardly more',
    (leaves) => {
      const allowed = answerSegmentsMax(cutVector(3 * SEGMENT_BYTES), { batch: leaves * 4, leafSize: 4 }) / 3;
      expect(allowed).toBeGreaterThanOrEqual(most(leaves));
      // The bound is exact where the number of leaves is a power of two; in other trees, shares have at most two sums fewer.
      expect(allowed).toBeLessThan(most(leaves) + 3);
    },
  );

  it('is as many vectors as a share has, each as long as the parameters; other messages carry no payload', () => {
    // Eight leaves: a share has four sums at most.
    const { payloadBytesMax } = memberBounds(cutVector(1000), { batch: 64, leafSize: 8 });
    const sums = (count: number): number =>
      payloadBytesMax({ kind: 'partial-sums', nodes: Array.from({ length: count }, () => ({})) });
    expect([sums(0), sums(1), sums(4), sums(5), sums(48)]).toEqual([0, 1000, 4000, 4000, 4000]);
    for (const kind of ['hello', 'need', 'ready', 'leave', 'pong', 'failed', 'more', undefined])
      expect(payloadBytesMax({ kind, nodes: [{}] }), kind).toBe(0);
    expect(payloadBytesMax({ kind: 'partial-sums', nodes: { length: 9 } })).toBe(0);
  });

  it('is segments, and nothing with the partial sums behind them, where vectors are larger than a segment', () => {
    const cut = cutVector(1000 * 2 ** 20);
    const { payloadBytesMax } = memberBounds(cut, { batch: 64, leafSize: 8 });
    expect(payloadBytesMax({ kind: 'partial-sums', nodes: [{}] })).toBe(0);
    expect(payloadBytesMax({ kind: 'segment' })).toBe(SEGMENT_BYTES);
    expect(
      memberBounds(cutVector(1000), { batch: 64, leafSize: 8 }).payloadBytesMax({ kind: 'segment' }),
    ).toBe(1000);
  });
});
