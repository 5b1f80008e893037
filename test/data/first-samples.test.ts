import { expect, it } from 'vitest';
import { CHUNK_BYTES_TARGET, packDataset } from '../../shared/data/dataset.js';
import { firstSamples } from '../../shared/data/first-samples.js';
import { sha256Hex } from '../../shared/files/sha256.js';

/** Samples of 64 KiB, of which a chunk holds sixteen. */
const SIZE = 2 ** 16;
const packed = (samples: number) => {
  const bytes = new Uint8Array(samples * SIZE);
  for (let i = 0; i < bytes.length; i++) bytes[i] = i * 31 + (i >> 16);
  const x = { dtype: 'u8', shape: [SIZE], bytes, scale: 1, shift: 0 } as const;
  return packDataset(`bytes-${samples}`, samples, { x }, sha256Hex);
};

it.each([1, 15, 16, 17, 40])('the first %i samples are a data set that was packed of them', (samples) => {
  expect(CHUNK_BYTES_TARGET / SIZE).toBe(16);
  const all = packed(40);
  const few = firstSamples({ ...all, manifest: { ...all.manifest, name: 'bytes' } }, samples, sha256Hex);
  const expected = packed(samples);
  expect(few.manifest).toEqual(expected.manifest);
  for (const [i, hash] of expected.manifest.chunkHashes.entries()) expect(sha256Hex(few.chunk(i))).toBe(hash);
});

it('there are no more than there are', () => {
  expect(() => firstSamples(packed(2), 3, sha256Hex)).toThrow('bytes-2 has no 3 samples');
});
