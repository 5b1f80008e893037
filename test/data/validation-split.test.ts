import { expect, it } from 'vitest';
import { fieldValues } from '../../shared/data/field-values.js';
import { packSamples } from '../../shared/data/samples.js';
import { splitValidation } from '../../shared/data/validation-split.js';
import { sha256Hex } from '../../shared/files/sha256.js';

/** Records of 256 KiB, so that a chunk holds four samples. */
const WIDE = 2 ** 16;
const rows = Array.from({ length: 30 }, (_, i) =>
  Array.from({ length: WIDE }, (_, k) => (k === 0 ? i % 20 : 0)),
);
const data = packSamples('numbers', { x: { shape: [WIDE], values: rows } });

it('puts every sample on one side, equal samples on the same, in order, and keeps chunks consistent', () => {
  const { train, validation } = splitValidation(data, 0.3, sha256Hex);
  const numbers = [train, validation].map((side) =>
    Array.from(
      { length: side.manifest.samples },
      (_, i) => fieldValues(side, 'x', { from: i, to: i + 1 })[0],
    ),
  );
  const [kept, aside] = numbers as [number[], number[]];
  expect([...kept, ...aside].sort((a, b) => a - b)).toEqual(
    Array.from({ length: 30 }, (_, i) => i % 20).sort((a, b) => a - b),
  );
  expect(kept.filter((value) => aside.includes(value))).toEqual([]);
  expect(aside.length).toBeGreaterThan(0);
  for (const { manifest, chunk } of [train, validation]) {
    expect(manifest.chunkHashes).toHaveLength(Math.ceil(manifest.samples / manifest.chunkSamples));
    expect(manifest.chunkHashes.map((_, i) => sha256Hex(chunk(i)))).toEqual(manifest.chunkHashes);
  }
  expect(splitValidation(data, 0.3, sha256Hex).train.manifest).toEqual(train.manifest);
});
