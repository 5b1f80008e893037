import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Shape } from '../../shared/graph/shape.js';
import type { StoredModel } from '../../trainer/model-text.js';
import { openInputs } from '../../trainer/prediction-inputs.js';
import type { Preprocessing } from '../../trainer/preprocessing.js';
import { wavBytes } from '../data/audio/wav-bytes.js';
import { pngBytes } from '../support/png.js';
import { temporaryFolder } from '../support/process.js';
import { writeFiles } from '../support/process-data.js';

/** What is said when files are read for a model. */
async function toldOf(
  preprocessing: Preprocessing,
  input: { name: string; shape: Shape },
  files: Readonly<Record<string, Uint8Array | string>>,
): Promise<string[]> {
  const folder = temporaryFolder();
  writeFiles(folder, files);
  const model = { network: { inputs: [input] }, inputs: {}, preprocessing } as unknown as StoredModel;
  const said: string[] = [];
  const paths = Object.keys(files).map((name) => join(folder, name));
  const { batches } = await openInputs(model, {
    ...{ paths, id: undefined, readFile: undefined },
    say: (line) => said.push(line.replaceAll(`${folder}/`, '')),
  });
  for await (const _ of batches());
  return said;
}

const images: Preprocessing = {
  ...{ kind: 'images', version: 1, size: [1, 2], fit: 'exact', channels: 3, scale: 1, classes: ['a', 'b'] },
};
const image = { name: 'image', shape: [1, 2, 3] };
const bright = Array(8).fill(65_000);

it('what was decided about a single image is told, with its name', async () => {
  const animation = { name: 'acTL', data: [0, 0, 0, 2, 0, 0, 0, 0] };
  const transparent = [...bright.slice(0, 7), 1];
  const file = pngBytes({
    width: 2,
    height: 1,
    kind: 6,
    bits: 16,
    numbers: transparent,
    chunks: [animation],
  });
  expect(await toldOf(images, image, { 'a.png': file })).toEqual([
    'a.png: with transparency, which is dropped: 1',
    'a.png: with 16 bits, of which the upper 8 are kept: 1',
    'a.png: animated, of which the first picture is read: 1',
  ]);
});

it('of several images, each kind is told once', async () => {
  const deep = pngBytes({ width: 2, height: 1, kind: 2, bits: 16, numbers: bright.slice(0, 6) });
  const plain = pngBytes({ width: 2, height: 1, kind: 2, bits: 8, numbers: [200, 0, 0, 200, 0, 0] });
  const files = { 'a.png': deep, 'b.png': plain, 'c.png': deep };
  expect(await toldOf(images, image, files)).toEqual(['with 16 bits, of which the upper 8 are kept: 2']);
  expect(await toldOf(images, image, { 'b.png': plain })).toEqual([]);
});

it('images for a model whose recipe makes its data by code are told about, too', async () => {
  const stored = { dtype: 'u8' as const, scale: 1, shift: 0 };
  const fields: Preprocessing = {
    ...{ kind: 'fields', version: 1, classes: ['a', 'b'], isReadByRecipe: false },
    inputs: { image: { ...stored, shape: [1, 2, 3] } },
    target: { name: 'label', dtype: 'i32', shape: [], scale: 1, shift: 0 },
  };
  const deep = pngBytes({ width: 2, height: 1, kind: 2, bits: 16, numbers: bright.slice(0, 6) });
  expect(await toldOf(fields, image, { 'a.png': deep })).toEqual([
    'a.png: with 16 bits, of which the upper 8 are kept: 1',
  ]);
});

const recordings: Preprocessing = {
  ...{ kind: 'recordings', version: 1, sampleRate: 8000, samples: 256, frames: 2, bands: 4 },
  ...{ window: 256, hop: 128, lowest: 60, range: 10, scale: 1, shift: 0, classes: ['a', 'b'] },
};
const spectrogram = { name: 'spectrogram', shape: [2, 4] };
const sine = (i: number): number => Math.sin(i / 3);
const float = (samples: number, channels: number, value: (i: number) => number): Uint8Array =>
  wavBytes({ kind: 3, bits: 32, channels }, samples, (view, at, i) => view.setFloat32(at, value(i), true));

it('what is odd about recordings is told', async () => {
  const told = (files: Record<string, Uint8Array>) => toldOf(recordings, spectrogram, files);
  expect(await told({ 'a.wav': float(256, 1, sine) })).toEqual([]);
  expect(await told({ 'a.wav': float(256, 1, (i) => 20_000 * sine(i)) })).toEqual([
    expect.stringMatching(/^a\.wav: beyond full scale, with values up to 2000\d instead of 1 \(.*\): 1$/),
  ]);
  const antiphase = float(256, 2, (i) => (i % 2 === 0 ? 1 : -1) * sine(Math.floor(i / 2)));
  expect(await told({ 'a.wav': antiphase, 'b.wav': float(256, 1, sine) })).toEqual([
    'mixed to the mean of their channels: 1',
    expect.stringMatching(/^with channels that cancel each other in their mean.*remix 1\): 1$/),
  ]);
  // Sound begins after the part that the model hears.
  const late = float(2000, 1, (i) => (i < 1000 ? 0 : sine(i)));
  expect(await told({ 'a.wav': late })).toEqual(['a.wav: silent in the part that is used: 1']);
});

it('a recording with powers that overflow is refused', async () => {
  const huge = wavBytes({ kind: 3, bits: 64 }, 256, (view, at) => view.setFloat64(at, 1e200, true));
  await expect(toldOf(recordings, spectrogram, { 'a.wav': huge })).rejects.toThrow(
    /a\.wav has values up to 1e\+200, and sound is between -1 and 1; check the file/,
  );
});

it('of a longer text, the window that the model reads is told', async () => {
  const text: Preprocessing = { kind: 'text', version: 1, context: 2, alphabet: ['a', 'b'] };
  const input = { name: 'x', shape: [2] };
  expect(await toldOf(text, input, { 'a.txt': 'abaab' })).toEqual([
    'a.txt: what follows its last 2 characters is predicted; the 3 before them are not read',
  ]);
  expect(await toldOf(text, input, { 'a.txt': 'ab' })).toEqual([]);
});

it('a folder without samples is refused with the kinds of files that the model takes', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, { 'a.txt': '' });
  const model = {
    network: { inputs: [image] },
    inputs: {},
    preprocessing: recordings,
  } as unknown as StoredModel;
  const request = { paths: [folder], id: undefined, readFile: undefined, say: () => {} };
  await expect(openInputs(model, request)).rejects.toThrow(
    `${folder} has no files that the model takes (recordings: .wav); check the path`,
  );
});

it('an encoding that was decided by a mark is told', async () => {
  const path = join(temporaryFolder(), 'a.txt');
  writeFileSync(path, Buffer.from('\ufeffab', 'utf16le'));
  const text: Preprocessing = { kind: 'text', version: 1, context: 2, alphabet: ['a', 'b'] };
  const model = { network: { inputs: [{ name: 'x', shape: [2] }] }, inputs: {}, preprocessing: text };
  const said: string[] = [];
  const request = { paths: [path], id: undefined, readFile: undefined };
  const { batches } = await openInputs(model as unknown as StoredModel, {
    ...request,
    say: (line) => said.push(line),
  });
  for await (const _ of batches());
  expect(said).toEqual([`${path}: decoded as utf-16le by its byte order mark`]);
});
