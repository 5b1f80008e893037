import { describe, expect, it } from 'vitest';
import { packDataset } from '../../shared/data/dataset.js';
import { fieldValues } from '../../shared/data/field-values.js';
import { sha256Hex } from '../../shared/files/sha256.js';

describe('a field of all samples', () => {
  it('is what a network sees, across chunks and behind other fields', () => {
    // Records of 400,004 bytes: two to a chunk.
    const samples = 5;
    const bulk = { dtype: 'u8', shape: [400_000], scale: 1, shift: 0 } as const;
    const columns = {
      bulk: { ...bulk, bytes: new Uint8Array(samples * 400_000) },
      byte: { dtype: 'u8', shape: [], bytes: Uint8Array.of(0, 1, 2, 128, 255), scale: 0.5, shift: -1 },
    } as const;
    const data = packDataset('bytes', samples, columns, sha256Hex);
    expect(data.manifest.chunkHashes).toHaveLength(3);
    expect([...fieldValues(data, 'byte')]).toEqual([-1, -0.5, 0, 63, 126.5]);
  });

  it('can hold words', () => {
    const floats = Float32Array.of(0.1, -2, Number.MIN_VALUE, 7);
    const ints = Int32Array.of(-1, 2 ** 20);
    const columns = {
      f: { dtype: 'f32', shape: [2], bytes: new Uint8Array(floats.buffer), scale: 1, shift: 0 },
      i: { dtype: 'i32', shape: [], bytes: new Uint8Array(ints.buffer), scale: 1, shift: 0 },
    } as const;
    const data = packDataset('words', 2, columns, sha256Hex);
    expect(fieldValues(data, 'f')).toEqual(floats);
    expect([...fieldValues(data, 'i')]).toEqual([-1, 2 ** 20]);
    expect(() => fieldValues(data, 'g')).toThrow('data set words has no field g');
  });
});
