import { describe, expect, it } from 'vitest';
import { packDataset } from '../../shared/data/dataset.js';
import { isChunk } from '../../shared/data/verify-chunk.js';
import { sha256Hex } from '../../shared/files/sha256.js';

describe('isChunk', () => {
  const bytes = Uint8Array.from({ length: 3 * 2 ** 20 }, (_, i) => (i * 7 + (i >> 9) + (i >> 20)) & 255);
  const x = { dtype: 'u8', shape: [2 ** 18], bytes, scale: 1, shift: 0 } as const;
  const { manifest, chunk } = packDataset('noise', 12, { x }, sha256Hex);

  it('knows each chunk by its contents', () => {
    expect(manifest.chunkHashes.length).toBe(3);
    for (const index of [0, 1, 2]) expect(isChunk(manifest, index, chunk(index), sha256Hex)).toBe(true);
    expect(isChunk(manifest, 1, chunk(2), sha256Hex)).toBe(false);
  });

  it('refuses what is altered, truncated, longer or not asked for', () => {
    const altered = chunk(0).slice();
    altered[1000] = (altered[1000] ?? 0) ^ 1;
    expect(isChunk(manifest, 0, altered, sha256Hex)).toBe(false);
    expect(isChunk(manifest, 0, chunk(0).subarray(1), sha256Hex)).toBe(false);
    expect(isChunk(manifest, 0, bytes, sha256Hex)).toBe(false);
    for (const index of [-1, 3, 0.5, Number.NaN])
      expect(isChunk(manifest, index, chunk(0), sha256Hex)).toBe(false);
  });
});
