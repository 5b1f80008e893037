import { describe, expect, it } from 'vitest';
import { frameMisfit, memberBounds } from '../../coordinator/frame-fit.js';
import { encodeHead } from '../../shared/link/frame.js';
import { FRAME_BYTES_MAX } from '../../shared/link/link.js';
import { maximalSubtrees } from '../../shared/sum/leaves.js';
import { Script } from './script.js';
import { hello } from './settings.js';

/** Partial sums of the share that has most of them. */
function most(leaves: number): number {
  let sums = 0;
  for (let from = 0; from < leaves; from++)
    for (let to = from + 1; to <= leaves; to++)
      sums = Math.max(sums, maximalSubtrees({ from, to }, leaves).length);
  return sums;
}

describe('what goes over a link', () => {
  it.each(Array.from({ length: 34 }, (_, i) => i + 1))('lets pass what fits, of %i leaves', (leaves) => {
    // The largest vector, in whole MiB, for which nothing is said.
    let mebibytes = 0;
    while (frameMisfit((mebibytes + 1) * 2 ** 20, leaves * 4, 4) === undefined) mebibytes++;
    const bytes = most(leaves) * mebibytes * 2 ** 20;
    expect(() => encodeHead({ kind: 'partials' }, bytes)).not.toThrow();
    // No share of a tree of a power of two has more than is reckoned with; one of a ragged tree has at most two fewer.
    expect(FRAME_BYTES_MAX / 2 ** 20 / mebibytes).toBeLessThan(most(leaves) + 3);
  });

  it('says what is too large, and what to do', () => {
    expect(frameMisfit(100 * 2 ** 20, 64, 8)).toBe(
      'a share of the work can come to 401 MiB, and 256 MiB go over a link at once: take larger leaves (--leaf), a smaller model, or local workers only',
    );
    expect(frameMisfit(256 * 2 ** 20, 8, 8)).toMatch(
      /^a share .*: take a smaller model, or local workers only$/,
    );
  });

  it('of a member is partial sums as long as the parameters, as many as a share has, and nothing with other words', () => {
    // Eight leaves: a share has four sums at most.
    const { payloadBytesMax } = memberBounds(1000, 64, 8);
    const sums = (count: number): number =>
      payloadBytesMax({ kind: 'partials', nodes: Array.from({ length: count }, () => ({})) });
    expect([sums(0), sums(1), sums(4), sums(5), sums(48)]).toEqual([0, 1000, 4000, 4000, 4000]);
    for (const kind of ['hello', 'need', 'ready', 'leave', 'pong', 'failed', 'more', undefined])
      expect(payloadBytesMax({ kind, nodes: [{}] }), kind).toBe(0);
    expect(payloadBytesMax({ kind: 'partials', nodes: { length: 9 } })).toBe(0);
  });

  it('is told to whoever wants to join over one', () => {
    const script = new Script({ misfit: 'too large' });
    script.connects('a');
    expect(script.says('a', hello('a'))).toContain('a <- refuse: too large');
  });
});
