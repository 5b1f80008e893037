import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { chunkBytes, chunkCount, parseManifest } from '../../../shared/data/manifest.js';
import { loadText, type TextSplit, textToMeasure } from '../../../shared/data/texts/text.js';
import { isChunk } from '../../../shared/data/verify-chunk.js';
import { UserError } from '../../../shared/errors.js';
import { sha256Hex } from '../../../shared/files/sha256.js';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function file(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'unisum-'));
  folders.push(folder);
  writeFileSync(join(folder, 'text.txt'), text);
  return join(folder, 'text.txt');
}

/** A field of a sample as text, found as the kernels find it: record, then offset, inside one chunk. */
function windowOf(
  { alphabet }: TextSplit,
  data: TextSplit['train'],
  sample: number,
  field: 'x' | 'y',
): string {
  const { chunkSamples, recordBytes, fields } = data.manifest;
  const { offset, shape } = fields[field]!;
  const at = (sample % chunkSamples) * recordBytes + offset;
  const bytes = data.chunk(Math.floor(sample / chunkSamples)).subarray(at, at + shape[0]!);
  return Array.from(bytes, (id) => alphabet[id]).join('');
}

describe('a text as windows', () => {
  it('has one at each character to learn from, side by side to be tested on', async () => {
    const split = await loadText(file('abcdefghij0123456789'), 3, 0.5);
    const { train, test } = split;
    expect([train.manifest.samples, test.manifest.samples]).toEqual([7, 3]);
    expect([0, 1, 6].map((i) => windowOf(split, train, i, 'x'))).toEqual(['abc', 'bcd', 'ghi']);
    expect([0, 1, 6].map((i) => windowOf(split, train, i, 'y'))).toEqual(['bcd', 'cde', 'hij']);
    expect([0, 1, 2].map((i) => windowOf(split, test, i, 'x'))).toEqual(['012', '345', '678']);
    expect([0, 1, 2].map((i) => windowOf(split, test, i, 'y'))).toEqual(['123', '456', '789']);
  });

  it('is told to hold characters that nobody means to learn', async () => {
    const notesOf = async (text: string) =>
      (await loadText(file(text), 3, 0.5)).notes.slice(1).map((note) => note.replace(/^\S*: /, ''));
    expect(await notesOf('abc\r\ndef\r\nghi\ufeffjkl')).toEqual([
      "2 carriage returns, with which Windows ends lines, are learned as characters; remove them with: tr -d '\\r'",
      '1 byte order marks inside of the text are learned as characters; remove them',
    ]);
    expect(await notesOf('abc\rdef\rghi\x1bjkl')).toEqual([
      '2 carriage returns without a line feed, with which old programs end lines, are learned as characters; make them line ' +
        "feeds with: tr '\\r' '\\n'",
      'control characters are learned: "\\u001b"; remove them if they are not meant',
    ]);
    expect(await notesOf('aaaaaaaaaaaa')).toEqual(['a single character, so there is nothing to learn']);
    expect(await notesOf('\ufeffabc\ndef\nghi')).toEqual([]);
  });

  it('is cut in chunks that hold their last windows to the end', async () => {
    const text = Array.from({ length: 1_200_000 }, (_, i) => 'abcdefg'[(i * i) % 7]).join('');
    const split = await loadText(file(text), 8, 0.99);
    const manifest = parseManifest(JSON.parse(JSON.stringify(split.train.manifest)), 'ours');
    expect(chunkCount(manifest)).toBe(2);
    const last = manifest.chunkSamples - 1;
    for (const sample of [0, last, last + 1, manifest.samples - 1]) {
      expect(windowOf(split, split.train, sample, 'x')).toBe(text.slice(sample, sample + 8));
      expect(windowOf(split, split.train, sample, 'y')).toBe(text.slice(sample + 1, sample + 9));
    }
    for (const i of [0, 1]) {
      expect(split.train.chunk(i).length).toBe(chunkBytes(manifest, i));
      expect(isChunk(manifest, i, split.train.chunk(i), sha256Hex)).toBe(true);
    }
    // The text once, and one overlap: not once for each window.
    expect(chunkBytes(manifest, 0) + chunkBytes(manifest, 1)).toBeLessThan(text.length + 16);
  });

  it('numbers characters by code point', async () => {
    expect((await loadText(file('öa\nbäöab ab😀'), 2, 0.5)).alphabet).toEqual([
      '\n',
      ' ',
      'a',
      'b',
      'ä',
      'ö',
      '😀',
    ]);
  });

  it.each([
    ['a text that is too short', 'abcdef', /too few for windows of 4; use a longer text/],
    [
      'more characters than a byte tells apart',
      String.fromCodePoint(
        ...Array(300)
          .fill(0)
          .map((_, i) => 0x4e00 + i),
      ),
      /300 different characters/,
    ],
  ])('refuses %s', async (_, text, message) => {
    const loading = loadText(file(text), 4, 0.9);
    await expect(loading).rejects.toThrow(UserError);
    await expect(loading).rejects.toThrow(message);
  });

  it('refuses windows of words at odd places', async () => {
    const { manifest } = (await loadText(file('abcdefghij0123456789'), 3, 0.5)).train;
    const { x, y } = manifest.fields;
    const words = { ...manifest, recordBytes: 4, fields: { x: x!, y: { ...y!, dtype: 'i32' } } };
    expect(() => parseManifest({ ...words, overlapBytes: 20 }, 'peer')).toThrow(/fields\.y\.offset/);
    expect(() => parseManifest({ ...manifest, overlapBytes: 2 }, 'peer')).toThrow(/exceeds the record/);
  });
});

it('a text to measure tells which of its characters fill no window', async () => {
  const { preprocessing } = await loadText(file('abcdefghijklmnop'), 3, 0.5);
  const notesOf = async (text: string) => (await textToMeasure(file(text), preprocessing)).notes;
  expect(await notesOf('abcdefg')).toEqual([]);
  expect(await notesOf('abcdefghi')).toEqual([
    expect.stringMatching(/: the last 2 characters fill no window of 3 and are not measured$/),
  ]);
});
