import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fieldValues } from '../../shared/data/field-values.js';
import { rawFolder } from '../../shared/data/raw-folder.js';
import { packSamples } from '../../shared/data/samples.js';
import { temporaryFolder } from '../support/process.js';
import { writeFiles } from '../support/process-data.js';

const DESCRIPTION = {
  name: 'waves',
  fields: { wave: { dtype: 'f32', shape: [2, 50_000] }, label: { dtype: 'i32', shape: [] } },
  splits: { train: { wave: 'w', label: 'l' }, test: { wave: 'v', label: 'm' } },
};
const bytesOf = (array: Float32Array | Int32Array) => new Uint8Array(array.buffer);
const waves = (samples: number) => Float32Array.from({ length: samples * 100_000 }, (_, i) => i / 7);
const FILES = {
  'dataset.json': JSON.stringify(DESCRIPTION),
  w: bytesOf(waves(5)),
  l: bytesOf(Int32Array.of(1, 0, -3, 2, 9)),
  v: bytesOf(waves(1)),
  m: bytesOf(Int32Array.of(4)),
};
const folderOf = (files: Record<string, Uint8Array | string> = {}) =>
  writeFiles(temporaryFolder(), { ...FILES, ...files });

describe('a folder of raw samples', () => {
  it('is the data set that arrays would make', async () => {
    const { train, test, classes } = await rawFolder(folderOf());
    expect(classes).toBeUndefined();
    const all = waves(5);
    const expected = packSamples('waves-train', {
      wave: {
        shape: [2, 50_000],
        values: [0, 1, 2, 3, 4].map((i) => all.subarray(i * 100_000, (i + 1) * 100_000)),
      },
      label: { shape: [], dtype: 'i32', values: [1, 0, -3, 2, 9] },
    });
    // Chunks of two samples each, and one.
    expect(train.manifest).toEqual(expected.manifest);
    expect(train.manifest.chunkHashes).toHaveLength(3);
    for (const index of [0, 1, 2]) expect(Buffer.compare(train.chunk(index), expected.chunk(index))).toBe(0);
    expect(test!.manifest.samples).toBe(1);
  });

  it('may hold bytes that are scaled, and names of classes', async () => {
    const description = {
      name: 'b',
      fields: { x: { dtype: 'u8', shape: [3], scale: 1 / 255, shift: -0.5 } },
      splits: { train: { x: 'x' }, test: { x: 'x' } },
      classes: ['no', 'yes'],
    };
    const files = { 'dataset.json': JSON.stringify(description), x: Uint8Array.of(0, 255, 51, 1, 2, 3) };
    const { train, classes } = await rawFolder(writeFiles(temporaryFolder(), files));
    expect(classes).toEqual(['no', 'yes']);
    expect([...fieldValues(train, 'x').subarray(0, 3)].map((x) => x.toFixed(3))).toEqual([
      '-0.500',
      '0.500',
      '-0.300',
    ]);
  });

  it('tells what was read', async () => {
    const { notes } = await rawFolder(folderOf());
    expect(notes).toEqual([
      'train: wave: 5 samples, f32 [2, 50000], 0 to 71430, mean 35710',
      'train: label: 5 samples, i32 [], -3 to 9, mean 1.8',
      'test: wave: 1 samples, f32 [2, 50000], 0 to 14290, mean 7143',
      'test: label: 1 samples, i32 [], 4 to 4, mean 4',
    ]);
  });

  it('refuses files that change while they are read', async () => {
    const folder = folderOf();
    const { train } = await rawFolder(folder);
    writeFileSync(join(folder, 'l'), bytesOf(Int32Array.of(1, 0, -3, 2, 8)));
    expect(train.chunk(1)).toHaveLength(2 * 400_004);
    expect(() => train.chunk(2)).toThrow(
      `the files in ${folder} changed while they were read; start again when they are complete`,
    );
    truncateSync(join(folder, 'w'), 10);
    expect(() => train.chunk(0)).toThrow('changed while they were read');
  });
});

describe('values of another type than is claimed are refused', () => {
  const numbers = Array.from({ length: 64 }, (_, i) => Math.sin(i * i));
  const whole = numbers.map((_, i) => (i * 7) % 10);
  const view = (size: number, write: (data: DataView, i: number) => void): Uint8Array => {
    const data = new DataView(new ArrayBuffer(size * 64));
    for (let i = 0; i < 64; i++) write(data, i);
    return new Uint8Array(data.buffer);
  };
  const raw = (dtype: string, bytes: Uint8Array, shape: number[] = [4]) =>
    rawFolder(
      writeFiles(temporaryFolder(), {
        'dataset.json': JSON.stringify({
          ...{ name: 'n', fields: { x: { dtype, shape } }, splits: { train: { x: 'x' } } },
        }),
        x: bytes,
      }),
    );
  const f32 = bytesOf(Float32Array.from(numbers));
  it.each<[string, string, Uint8Array, RegExp]>([
    [
      'i32 as f32',
      'f32',
      bytesOf(Int32Array.from(whole)),
      /x \(x\) has 57 of 64 values below 1e-37, as integers .* "i32"/,
    ],
    [
      'f32 as i32',
      'i32',
      f32,
      /x \(x\) has 1062\d+ in sample 0, beyond the 16777216 .*its bytes look like f32: write "dtype": "f32"/,
    ],
    [
      'f64 as f32',
      'f32',
      view(8, (data, i) => data.setFloat64(8 * i, numbers[i] as number, true)),
      /x \(x\) has \d+ of 128 values that are not finite and \d+ of 128 values beyond 1e\+30, as other types/,
    ],
    [
      'big-endian f32',
      'f32',
      view(4, (data, i) => data.setFloat32(4 * i, numbers[i] as number)),
      /its bytes look big-endian: write them little-endian, with array\.astype\('<f4'\)/,
    ],
    [
      'big-endian whole numbers in f32',
      'f32',
      view(4, (data, i) => data.setFloat32(4 * i, whole[i] as number)),
      /its bytes look big-endian: write them little-endian, with array\.astype\('<f4'\)/,
    ],
    [
      'big-endian i32',
      'i32',
      view(4, (data, i) => data.setInt32(4 * i, whole[i] as number)),
      /its bytes look big-endian: write them little-endian, with array\.astype\('<i4'\)/,
    ],
    [
      'i16 as i32',
      'i32',
      view(4, (data, i) => data.setUint32(4 * i, (i << 16) | 0x1234_0001)),
      /beyond the 16777216.*check dtype/,
    ],
    [
      'NaN',
      'f32',
      bytesOf(Float32Array.from(numbers, (value, i) => (i === 9 ? Number.NaN : value))),
      /x \(x\) has NaN in sample 2 \(1 of 64 values are not finite\); fill it in, or leave such samples out/,
    ],
  ])('%s', async (_, dtype, bytes, message) => {
    await expect(raw(dtype, bytes)).rejects.toThrow(message);
  });

  it('and values of the type are not', async () => {
    expect((await raw('f32', f32)).notes).toEqual([
      expect.stringMatching(/^train: x: 16 samples, f32 \[4\], -[\d.]+ to /),
    ]);
    const tiny = Float32Array.from(numbers, (value, i) => (i % 3 === 0 ? 1e-42 : value * 1e20));
    await expect(raw('f32', bytesOf(tiny))).resolves.toBeDefined();
    await expect(raw('f32', bytesOf(new Float32Array(64)))).resolves.toBeDefined();
    await expect(
      raw('i32', bytesOf(Int32Array.from(numbers, (value) => value * 2 ** 24))),
    ).resolves.toBeDefined();
  });
});

describe('errors name the file and the remedy', () => {
  const changed = (change: object) => ({ 'dataset.json': JSON.stringify({ ...DESCRIPTION, ...change }) });
  const field = (dtype: string, shape: unknown) => ({
    fields: { ...DESCRIPTION.fields, wave: { dtype, shape } },
  });
  it.each<[string, Record<string, Uint8Array | string>, RegExp]>([
    ['invalid JSON', { 'dataset.json': '{' }, /dataset\.json is not JSON \(.*\); correct it/],
    [
      'Latin-1, which could make two class names one',
      {
        'dataset.json': Buffer.from(
          JSON.stringify({ ...DESCRIPTION, classes: ['caf\u00e9', 'caf\u00e8'] }),
          'latin1',
        ),
      },
      /dataset\.json, line 1: byte 0xE9 after \d+ bytes of the line is not UTF-8; convert it: iconv/,
    ],
    [
      'an unknown type',
      changed(field('f64', [2])),
      /dataset\.json is malformed: fields\.wave\.dtype: .*; correct it/,
    ],
    ['an invalid shape', changed(field('f32', [0])), /dataset\.json is malformed: fields\.wave\.shape\.0: /],
    [
      'two classes of one name',
      changed({ classes: ['sine', 'square', 'sine'] }),
      /dataset\.json: classes has "sine" twice; give each class a name of its own$/,
    ],
    ['an unknown setting', changed({ label: 'x' }), /dataset\.json is malformed: label: /],
    [
      'a file elsewhere',
      changed({ splits: { train: { wave: '../w', label: 'l' }, test: {} } }),
      /splits\.train\.wave: must be a file name without a folder/,
    ],
    [
      'a field without a file',
      changed({ splits: { train: { wave: 'w' }, test: {} } }),
      /splits\.train names no file for label; add it/,
    ],
    [
      'a file without a field',
      changed({ splits: { ...DESCRIPTION.splits, test: { wave: 'w', label: 'l', x: 'y' } } }),
      /splits\.test names x, which is not a field/,
    ],
    [
      'a name that fields cannot have',
      changed({
        fields: { 'my wave': { dtype: 'u8', shape: [] } },
        splits: { train: { 'my wave': 'w' }, test: { 'my wave': 'w' } },
      }),
      /dataset\.json is not a valid manifest of a data set: /,
    ],
    [
      'scales of what are no bytes',
      changed({
        fields: { x: { dtype: 'i32', shape: [], scale: 2 } },
        splits: { train: { x: 'l' }, test: { x: 'l' } },
      }),
      /only bytes are scaled/,
    ],
    [
      'part of a sample',
      { w: new Uint8Array(9) },
      /w has 9 bytes, not a whole number of samples of 400000 bytes \(wave\); check dtype and shape in dataset\.json/,
    ],
    ['an empty file', { l: new Uint8Array(0) }, /l has 0 bytes, not a whole number of samples of 4 bytes/],
    [
      'more of one field',
      { l: new Uint8Array(24) },
      /l has 6 samples, and \S*w has 5; use files of the same data set/,
    ],
    [
      'a file that is not there',
      changed({ splits: { ...DESCRIPTION.splits, test: { wave: 'none', label: 'l' } } }),
      /cannot read \S*none: no such file or directory; check the path/,
    ],
  ])('%s', async (_, files, line) => {
    const answer = rawFolder(folderOf(files));
    await expect(answer).rejects.toMatchObject({ name: 'UserError', message: expect.stringMatching(line) });
  });

  it('a folder without a description', async () => {
    const folder = temporaryFolder();
    await expect(rawFolder(folder)).rejects.toThrow(
      `${folder} has no dataset.json that describes its files; write one`,
    );
  });
});
