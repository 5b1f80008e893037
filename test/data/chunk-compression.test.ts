import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import { deflateChunk, inflateChunk } from '../../shared/data/chunk-compression.js';

const striped = Uint8Array.from({ length: 100_000 }, (_, i) => (i % 28 < 20 ? 0 : i & 255));

describe('a compressed chunk', () => {
  it('is smaller, and the same bytes again, also from shared memory', async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(striped.length));
    shared.set(striped);
    for (const chunk of [striped, shared]) {
      const deflated = await deflateChunk(chunk);
      expect(deflated?.length).toBeLessThan(striped.length / 4);
      expect(new Uint8Array(await inflateChunk(deflated as Uint8Array, striped.length))).toEqual(striped);
    }
  });

  it('is not made of what hardly shrinks', async () => {
    const random = new SeededRandom(1);
    const noise = Uint8Array.from({ length: 100_000 }, () => random.next());
    expect(await deflateChunk(noise)).toBeUndefined();
  });

  it('is refused when it is damaged, cut short, or larger than it may be', async () => {
    const deflated = (await deflateChunk(striped)) as Uint8Array;
    const damaged = deflated.slice();
    damaged.fill(255, 10, 40);
    await expect(inflateChunk(damaged, striped.length)).rejects.toThrow();
    await expect(inflateChunk(deflated.subarray(0, -9), striped.length)).rejects.toThrow();
    await expect(inflateChunk(deflated, striped.length - 1)).rejects.toThrow();
  });
});
