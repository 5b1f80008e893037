import { describe, expect, it } from 'vitest';
import { CHUNK_BYTES_TARGET, type Column, packDataset } from '../../shared/data/dataset.js';
import { chunkBytes, parseManifest } from '../../shared/data/manifest.js';
import { AssertionError } from '../../shared/errors.js';
import { sha256Hex, sha256OfPieces } from '../../shared/files/sha256.js';

function column(dtype: Column['dtype'], shape: readonly number[], bytes: Uint8Array): Column {
  return { dtype, shape, bytes, scale: 1, shift: 0 };
}

describe('packDataset', () => {
  it('brings the fields of a sample together, each at a multiple of 4', () => {
    const pixels = Uint8Array.from([1, 2, 3, 11, 12, 13]);
    const target = new Uint8Array(Float32Array.from([1.5, -2]).buffer);
    const data = packDataset(
      'tiny',
      2,
      {
        image: column('u8', [3], pixels),
        target: column('f32', [], target),
        label: column('u8', [], pixels.slice(0, 2)),
      },
      sha256Hex,
    );
    expect(data.manifest.recordBytes).toBe(12);
    expect(Object.values(data.manifest.fields).map(({ offset }) => offset)).toEqual([0, 4, 8]);
    expect([...data.chunk(0)]).toEqual([
      ...[1, 2, 3, 0, 0, 0, 0xc0, 0x3f, 1, 0, 0, 0],
      ...[11, 12, 13, 0, 0, 0, 0, 0xc0, 2, 0, 0, 0],
    ]);
    expect(parseManifest(data.manifest, 'ours')).toEqual(data.manifest);
  });

  it('cuts chunks of about 1 MiB, the last one smaller, each named by its hash', () => {
    const samples = 5000;
    const bytes = Uint8Array.from({ length: samples * 784 }, (_, i) => (i * 31 + (i >> 8)) & 255);
    const { manifest, chunk } = packDataset(
      'noise',
      samples,
      { image: column('u8', [28, 28], bytes) },
      sha256Hex,
    );
    const rejoined: number[] = [];
    manifest.chunkHashes.forEach((hash, i) => {
      expect(sha256Hex(chunk(i))).toBe(hash);
      expect(chunk(i).length).toBe(chunkBytes(manifest, i));
      rejoined.push(chunk(i).length);
    });
    expect(Math.max(...rejoined)).toBeLessThanOrEqual(CHUNK_BYTES_TARGET);
    expect(Math.max(...rejoined)).toBeGreaterThan(CHUNK_BYTES_TARGET - 784);
    expect(rejoined.length).toBe(Math.ceil((samples * 784) / Math.max(...rejoined)));
    expect(sha256OfPieces(manifest.chunkHashes.map((_, i) => chunk(i)))).toBe(sha256Hex(bytes));
    expect(() => chunk(manifest.chunkHashes.length)).toThrow(AssertionError);
    expect(() => chunk(-1)).toThrow(AssertionError);
  });

  it('makes a chunk of a single record that is larger than the target', () => {
    const bytes = new Uint8Array(2 * (CHUNK_BYTES_TARGET + 4));
    const { manifest } = packDataset(
      'large',
      2,
      { x: column('u8', [CHUNK_BYTES_TARGET + 4], bytes) },
      sha256Hex,
    );
    expect(manifest.chunkSamples).toBe(1);
    expect(manifest.chunkHashes.length).toBe(2);
  });

  it('refuses columns of another length and no samples', () => {
    const bytes = new Uint8Array(5);
    expect(() => packDataset('x', 2, { x: column('u8', [3], bytes) }, sha256Hex)).toThrow(
      /column x must hold 2/,
    );
    expect(() => packDataset('x', 0, { x: column('u8', [3], new Uint8Array()) }, sha256Hex)).toThrow(
      AssertionError,
    );
  });
});
