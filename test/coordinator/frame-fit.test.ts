import { describe, expect, it } from 'vitest';
import { frameMisfit } from '../../coordinator/frame-fit.js';
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

  it('is told to whoever wants to join over one', () => {
    const script = new Script({ misfit: 'too large' });
    script.connects('a');
    expect(script.says('a', hello('a'))).toContain('a <- refuse: too large');
  });
});
