import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { audioInspector } from '../../../scripts/inspect/audio-inspection.js';
import { imageInspector } from '../../../scripts/inspect/image-inspection.js';
import type { Inspector } from '../../../scripts/inspect/inspection.js';
import { textInspector } from '../../../scripts/inspect/text-inspection.js';
import { wavOf } from '../../data/audio/wav-bytes.js';
import { GREY } from '../../data/images/jpeg-bytes.js';
import { pngBytes } from '../../support/png.js';
import { temporaryFolder } from '../../support/process.js';
import { writeFiles } from '../../support/process-data.js';

const png = (width: number, height: number): Uint8Array =>
  pngBytes({ width, height, kind: 2, bits: 8, numbers: Array(width * height * 3).fill(90) });
const sound = (length: number): Uint8Array => wavOf(Float64Array.from({ length }, (_, i) => Math.sin(i / 3)));
const INSPECTORS: readonly Inspector[] = [imageInspector, audioInspector, textInspector];

/** A folder with the files of each class. */
function folderOf(classes: Readonly<Record<string, Record<string, Uint8Array | string>>>): string {
  const folder = join(temporaryFolder(), 'data');
  mkdirSync(folder);
  for (const [name, files] of Object.entries(classes)) writeFiles(join(folder, name), files);
  return folder;
}

async function inspect(path: string) {
  const handles = await Promise.all(INSPECTORS.map((inspector) => inspector.handles(path)));
  expect(handles.filter(Boolean)).toHaveLength(1);
  const { lines, result, recipe } = await (INSPECTORS[handles.indexOf(true)] as Inspector).inspect(path, {
    target: undefined,
  });
  return { lines: lines.map((line) => line.replaceAll(path, 'data')), result, recipe };
}

describe('images', () => {
  it('of several sizes get a size', async () => {
    const sizes = [
      [30, 20],
      [40, 60],
      [50, 35],
    ] as const;
    const files = Object.fromEntries(sizes.map(([w, h], i) => [`${i}.png`, png(w, h)]));
    const { lines, result, recipe } = await inspect(folderOf({ 'train/a': files, 'val/a': files }));
    expect(lines).toEqual([
      'data: 6 images in 1 class (a 6); 3 in train for training, 3 in val for evaluation',
      'there is a single class, so there is nothing to learn',
      '3 of the images in val are also in train (identical files): they measure what was memorised',
      'images: 32 x 32 pixels, RGB; 6 of another size are resized (fit: cover, cropped)',
      'suggested options:',
      '  size: [32, 32], since the images have 3 sizes; the median of their shorter sides is 35 pixels',
      "  fit: 'cover' crops; 'contain' pads with black, 'stretch' does not keep the aspect ratio",
    ]);
    expect(result).toMatchObject({ kind: 'images', options: { size: [32, 32], fit: 'cover' }, problems: [] });
    expect(recipe?.body).toContain("imageFolder(path, { size: [32, 32], fit: 'cover' })");
  });

  it('of one size and grey stay as they are', async () => {
    const files = { '1.jpg': GREY, '2.jpg': Buffer.concat([GREY, Buffer.from('behind the end')]) };
    const { result } = await inspect(folderOf({ 'train/a': files, 'test/a': files }));
    expect(result.options).toEqual({ colorMode: 'grayscale' });
  });

  it('that are large and of one size get a smaller one', async () => {
    const { result } = await inspect(
      folderOf({ 'train/a': { '1.png': png(200, 150) }, 'test/a': { '1.png': png(200, 150) } }),
    );
    expect(result.options).toEqual({ size: [64, 64], fit: 'cover' });
  });

  it('that are invalid are all listed, without a recipe', async () => {
    const { lines, result, recipe } = await inspect(
      folderOf({ a: { '1.png': png(8, 8), '2.png': 'text', '3.jpg': GREY.subarray(0, 100) } }),
    );
    expect(recipe).toBeUndefined();
    expect(lines.at(-1)).toMatch(
      /^data has 2 problems:\n.*2\.png is neither PNG nor JPEG.*\n.*3\.jpg is not a valid JPEG/,
    );
    expect(result.problems).toHaveLength(3);
  });
});

describe('recordings', () => {
  it('get the duration of most of them', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`${i}.wav`, sound(1000 + 300 * i)]),
    );
    const { lines, result, recipe } = await inspect(folderOf({ a: files }));
    expect(result).toMatchObject({ kind: 'recordings', options: { seconds: 1 }, problems: [] });
    expect(lines).toContain(
      '  seconds: 1, since 90% of the recordings last at most 0.76 s (all: 0.13 to 0.84 s)',
    );
    expect(recipe?.body).toContain('audioFolder(path, { seconds: 1 })');
  });

  it('of an unsupported type are refused with a command', async () => {
    const { lines, recipe } = await inspect(folderOf({ a: { '1.mp3': 'x', '2.mp3': 'x' } }));
    expect(recipe).toBeUndefined();
    expect(lines.at(-1)).toMatch(/1\.mp3 cannot be read, only \.wav can; convert such files: for f in/);
  });
});

describe('a text', () => {
  const file = (name: string, content: string | Uint8Array): string => {
    const path = join(temporaryFolder(), name);
    writeFileSync(path, content);
    return path;
  };

  it('becomes windows that fit it', async () => {
    const { lines, result, recipe } = await inspect(
      file('poem.txt', 'All that glitters is not gold.\n'.repeat(40)),
    );
    expect(result).toMatchObject({ kind: 'text', options: { context: 16, learned: 0.9 }, problems: [] });
    expect(lines[0]).toMatch(/^data: 1240 characters, \d+ different ones; the first 1116 for training/);
    expect(recipe?.body).toContain(', 16, 0.9)');
  });

  it('in another encoding is refused with the line', async () => {
    const { lines, recipe } = await inspect(file('poem.md', Buffer.from('one\ntwo\nété\n', 'latin1')));
    expect(recipe).toBeUndefined();
    expect(lines).toEqual([
      expect.stringMatching(/^data, line 3: byte 0xE9 .* is not UTF-8; convert it: iconv/),
    ]);
  });

  it('is not a table, whatever it is called', async () => {
    expect(await textInspector.handles(file('table.txt', 'a\tb\n1\t2\n3\t4\n5\t6\n7\t8\n'))).toBe(false);
    expect(await textInspector.handles(file('table.csv', 'prose'))).toBe(false);
    expect(
      await textInspector.handles(file('poem.txt', 'One, two,\nthree,\nand four.\nFive, six.\nSeven.\n')),
    ).toBe(true);
    expect(await textInspector.handles('nowhere.txt')).toBe(false);
  });
});
