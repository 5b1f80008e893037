import { expect, it } from 'vitest';
import { deflateChunk } from '../../shared/data/chunk-compression.js';
import { inflateChunk } from '../../web/worker/inflate-chunk.js';

/* Node has the streams of a browser; a tab that fetches compressed data is in test/browser/tab-data.test.ts. */
it('gives the bytes of a compressed chunk again, and refuses what is damaged or larger than it may be', async () => {
  const chunk = Uint8Array.from({ length: 100_000 }, (_, i) => (i % 28 < 20 ? 0 : i & 255));
  const deflated = (await deflateChunk(chunk)) as Uint8Array;
  expect(await inflateChunk(deflated, chunk.length)).toEqual(chunk);
  await expect(inflateChunk(deflated, chunk.length - 1)).rejects.toThrow('larger');
  await expect(inflateChunk(deflated.subarray(0, -9), chunk.length)).rejects.toThrow();
  await expect(inflateChunk(deflated.fill(255, 10, 40), chunk.length)).rejects.toThrow();
});
