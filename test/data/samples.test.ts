import { describe, expect, it } from 'vitest';
import { parseManifest } from '../../shared/data/manifest.js';
import { packSamples } from '../../shared/data/samples.js';

describe('samples out of arrays', () => {
  it('lie record by record, in the order of the fields', () => {
    const { manifest, chunk } = packSamples('pairs', {
      x: { shape: [2], values: [[1, 2], Float32Array.of(3, 4.5)] },
      y: { shape: [], values: [7, -1], dtype: 'i32' },
    });
    expect(manifest).toMatchObject({ name: 'pairs', samples: 2, recordBytes: 12 });
    const bytes = chunk(0).slice().buffer;
    expect([...new Float32Array(bytes)].filter((_, i) => i % 3 < 2)).toEqual([1, 2, 3, 4.5]);
    expect([...new Int32Array(bytes)].filter((_, i) => i % 3 === 2)).toEqual([7, -1]);
  });

  it('have fields whose names workers take, such as those of columns', () => {
    const names = ['price_eur', 'Area.m2', 'x-1'];
    const x = { shape: [], values: [1] };
    const { manifest } = packSamples('named', Object.fromEntries(names.map((name) => [name, x])));
    expect(Object.keys(parseManifest(JSON.parse(JSON.stringify(manifest)), 'a run').fields)).toEqual(names);
    for (const name of ['1st', '_x', 'constructor', 'a b', '__proto__', 'x'.repeat(65), ''])
      expect(() => packSamples('named', { [name]: x })).toThrow('is no name of a field');
  });

  it('say what does not fit', () => {
    const x = { shape: [2], values: [[1, 2]] };
    expect(() => packSamples('none', {})).toThrow('data set none has no samples');
    expect(() => packSamples('a', { x, y: { shape: [], values: [1, 2] } })).toThrow(
      'data set a: y has 2 samples, but x has 1',
    );
    expect(() => packSamples('a', { x: { shape: [2], values: [[1, 2, 3]] } })).toThrow(
      'x of sample 0 has 3 numbers, but its shape [2] has 2',
    );
    expect(() => packSamples('a', { x, y: { shape: [], values: [0.5], dtype: 'i32' } })).toThrow(
      'y of sample 0 is not a whole number',
    );
  });
});
