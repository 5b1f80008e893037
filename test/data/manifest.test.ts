import { describe, expect, it } from 'vitest';
import {
  CHUNK_BYTES_MAX,
  chunkBytes,
  chunkCount,
  fieldElements,
  type Manifest,
  parseManifest,
} from '../../shared/data/manifest.js';
import { UserError } from '../../shared/errors.js';

const HASH = 'a'.repeat(64);
const IMAGE = { dtype: 'u8', shape: [28, 28], offset: 0, scale: Math.fround(1 / 255), shift: 0 } as const;
const LABEL = { dtype: 'u8', shape: [], offset: 784, scale: 1, shift: 0 } as const;
const VALID: Manifest = {
  name: 'mnist-test',
  samples: 250,
  chunkSamples: 100,
  recordBytes: 788,
  fields: { image: IMAGE, label: LABEL },
  chunkHashes: [HASH, HASH, HASH],
};

describe('parseManifest', () => {
  it('takes a manifest that went through JSON', () => {
    expect(parseManifest(JSON.parse(JSON.stringify(VALID)), 'x')).toEqual(VALID);
  });

  it.each<[string, unknown]>([
    ['nothing', null],
    ['an array', []],
    ['a missing part', { ...VALID, samples: undefined }],
    ['a part too much', { ...VALID, extra: 1 }],
    ['a name with a path', { ...VALID, name: '../x' }],
    ['no samples', { ...VALID, samples: 0, chunkHashes: [] }],
    ['samples as text', { ...VALID, samples: '250' }],
    ['samples without end', { ...VALID, samples: Number.POSITIVE_INFINITY }],
    ['half a sample', { ...VALID, samples: 249.5 }],
    ['a hash too few', { ...VALID, chunkHashes: [HASH, HASH] }],
    ['a hash too many', { ...VALID, chunkHashes: [HASH, HASH, HASH, HASH] }],
    ['a malformed hash', { ...VALID, chunkHashes: [HASH, HASH, 'A'.repeat(64)] }],
    ['records not a multiple of 4', { ...VALID, recordBytes: 789 }],
    ['a chunk beyond the bound', { ...VALID, recordBytes: 4 * (CHUNK_BYTES_MAX / 100) }],
    ['a field beyond the record', { ...VALID, fields: { image: IMAGE, label: { ...LABEL, offset: 788 } } }],
    ['a field larger than the record', { ...VALID, fields: { image: { ...IMAGE, shape: [28, 29] } } }],
    [
      'a field of overflowing size',
      { ...VALID, fields: { image: { ...IMAGE, shape: Array(8).fill(2 ** 26) } } },
    ],
    ['a field at an odd byte', { ...VALID, fields: { image: IMAGE, label: { ...LABEL, offset: 783 } } }],
    ['a field before the record', { ...VALID, fields: { label: { ...LABEL, offset: -4 } } }],
    ['an unknown type', { ...VALID, fields: { label: { ...LABEL, dtype: 'f64' } } }],
    ['an empty dimension', { ...VALID, fields: { image: { ...IMAGE, shape: [0] } } }],
    ['nine dimensions', { ...VALID, fields: { image: { ...IMAGE, shape: Array(9).fill(1) } } }],
    ['a scale that is no float32', { ...VALID, fields: { image: { ...IMAGE, scale: 0.1 } } }],
    ['a scale that is not a number', { ...VALID, fields: { image: { ...IMAGE, scale: Number.NaN } } }],
    ['scaled words', { ...VALID, fields: { label: { ...LABEL, dtype: 'i32', scale: 2 } } }],
    ['no fields', { ...VALID, fields: {} }],
    ['a field of a bad name', { ...VALID, fields: { 'a b': LABEL } }],
    ['a field named __proto__', { ...VALID, fields: JSON.parse(`{"__proto__":${JSON.stringify(LABEL)}}`) }],
    ['a field named constructor with nothing in it', { ...VALID, fields: { constructor: null } }],
  ])('refuses %s', (_, value) => {
    expect(() => parseManifest(value, 'manifest.json')).toThrow(UserError);
  });

  it('names the malformed part in one line', () => {
    const bad = { ...VALID, fields: { image: { ...IMAGE, offset: 3 } } };
    expect(() => parseManifest(bad, 'peer')).toThrow(
      /^peer is not a valid manifest .*fields\.image\.offset.*$/,
    );
  });
});

describe('sizes', () => {
  it('of fields and chunks', () => {
    expect(fieldElements(IMAGE)).toBe(784);
    expect(fieldElements(LABEL)).toBe(1);
    expect(chunkCount(VALID)).toBe(3);
    expect([0, 1, 2].map((i) => chunkBytes(VALID, i))).toEqual([78_800, 78_800, 39_400]);
  });
});
