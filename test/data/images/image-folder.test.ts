import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fieldValues } from '../../../shared/data/field-values.js';
import { type ImageFolderOptions, imageFolder } from '../../../shared/data/images/image-folder.js';
import { readJpeg } from '../../../shared/data/images/jpeg.js';
import { pngBytes } from '../../support/png.js';
import { temporaryFolder } from '../../support/process.js';
import { GREY } from './jpeg-bytes.js';

const red = (width: number, height: number, depth: number): Uint8Array =>
  pngBytes({
    width,
    height,
    kind: 2,
    bits: 8,
    numbers: Array(width * height)
      .fill([depth, 0, 0])
      .flat(),
  });

/** A folder `pictures` with files by path. */
function folderOf(files: Readonly<Record<string, Uint8Array | string>>): string {
  const folder = join(temporaryFolder(), 'my pictures');
  mkdirSync(folder);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

const many = Object.fromEntries(
  Array.from({ length: 60 }, (_, i) => [`${i % 2 ? 'cats' : 'Dogs'}/${i}.png`, red(3, 2, i)]),
);

describe('a folder of images', () => {
  it('has a class in each folder, and holds a share out by a hash of each file', async () => {
    const { train, test, classes } = await imageFolder(folderOf(many), { split: { share: 0.3 } });
    expect(classes).toEqual(['Dogs', 'cats']);
    expect(train.manifest.name).toBe('my-pictures-train');
    expect(train.manifest.fields.image).toMatchObject({ dtype: 'u8', shape: [2, 3, 3] });
    const depths = [train, test].map((side) => {
      const labels = fieldValues(side!, 'label');
      const images = fieldValues(side!, 'image');
      return [...labels].map((label, i) => {
        const depth = Math.round((images[i * 18] as number) * 255);
        expect(images[i * 18]).toBe(Math.fround(depth * Math.fround(1 / 255)));
        expect(label).toBe(depth % 2);
        return depth;
      });
    });
    expect(depths.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i));
    expect(Math.abs(test!.manifest.samples - 18)).toBeLessThan(9);
    // The others stay where they are.
    const fewer = folderOf(many);
    rmSync(join(fewer, 'cats', '1.png'));
    const again = await imageFolder(fewer, { split: { share: 0.3 } });
    const left = again.train.manifest.samples + again.test!.manifest.samples;
    expect(left).toBe(59);
    expect(Math.abs(again.test!.manifest.samples - test!.manifest.samples)).toBeLessThan(2);
  });

  it('may be split by itself, and be grey', async () => {
    const files = {
      'train/a/1.PNG': red(2, 1, 100),
      'train/b/1.png': red(2, 1, 200),
      'test/b/1.png': red(2, 1, 50),
    };
    const stray = { 'train/a/notes.txt': 'mine', 'train/.cache/1.png': 'no', 'test/b/.DS_Store': 'no' };
    const { train, test, classes } = await imageFolder(folderOf({ ...files, ...stray }), {
      colorMode: 'grayscale',
    });
    expect(classes).toEqual(['a', 'b']);
    expect(train.manifest.fields.image?.shape).toEqual([1, 2, 1]);
    expect([...fieldValues(test!, 'label')]).toEqual([1]);
    // 0.299 of the red.
    expect([...fieldValues(train, 'image')].map((x) => Math.round(x * 255))).toEqual([30, 30, 60, 60]);
  });
});

it('JPEG files stand beside PNG files, whatever they are called', async () => {
  const white = pngBytes({ width: 12, height: 9, kind: 0, bits: 8, numbers: Array(12 * 9).fill(255) });
  const files = { 'train/a/1.JPEG': GREY, 'train/b/1.png': white, 'test/b/1.png': GREY };
  const { train, test } = await imageFolder(folderOf(files), { colorMode: 'grayscale' });
  const bytes = [...fieldValues(train, 'image')].map((x) => Math.round(x * 255));
  expect(bytes.slice(0, 12 * 9)).toEqual([...(await readJpeg(GREY, 'a.jpg', 1)).pixels]);
  expect(new Set(bytes.slice(12 * 9))).toEqual(new Set([255]));
  expect(fieldValues(test!, 'image')).toEqual(fieldValues(train, 'image').slice(0, 12 * 9));
});

it('a single image is seen as those of the folder', async () => {
  const folder = folderOf({
    'train/a/1.png': red(2, 1, 100),
    'test/a/2.png': red(2, 1, 7),
    'new.png': red(2, 1, 7),
  });
  writeFileSync(join(folder, 'large.png'), red(3, 3, 7));
  const { inputs, test } = await imageFolder(folder, { colorMode: 'grayscale' });
  expect((await inputs(join(folder, 'new.png'))).image).toEqual(fieldValues(test!, 'image'));
  await expect(inputs(join(folder, 'large.png'))).rejects.toThrow(
    /large\.png has 3 x 3 pixels, and the model expects 2 x 1; resize it: magick /,
  );
});

describe('errors name the file and the remedy', () => {
  const image = red(2, 2, 1);
  it.each<[string, Record<string, Uint8Array | string>, ImageFolderOptions, RegExp]>([
    [
      'another size',
      { ...many, 'cats/x.png': image },
      {},
      /cats\/x\.png has 2 x 2 pixels, and \S* ?\S*\/Dogs\/0\.png has 3 x 2; resize all to one size: .*magick mogrify -resize 3x2! /,
    ],
    [
      'another size to be tested on',
      { 'train/a/1.png': image, 'test/a/1.png': red(1, 1, 1) },
      {},
      /test\/a\/1\.png has 1 x 1 pixels, and .*train\/a\/1\.png has 2 x 2/,
    ],
    [
      'no image',
      { 'a/1.png': image, 'a/2.png': 'text' },
      {},
      /a\/2\.png is neither PNG nor JPEG; convert it: magick/,
    ],
    [
      'another kind of image',
      { 'a/1.png': image, 'a/2.GIF': 'gif' },
      {},
      /a\/2\.GIF cannot be read, only \.png, \.jpg, \.jpeg can; convert such files: magick mogrify -format png .*\*\.GIF/,
    ],
    [
      'half of one',
      { 'a/1.png': image.subarray(0, 60) },
      {},
      /a\/1\.png is not a valid PNG \(.*\); save or download it again/,
    ],
    ['no classes', { '1.png': image }, {}, /my pictures has no folders; create one for each class/],
    ['folders in folders', { 'a/b/1.png': image }, {}, /a\/b is a folder inside a class folder/],
    [
      'another class to be tested on',
      { 'train/a/1.png': image, 'test/b/1.png': image },
      {},
      /test\/b is a class that .*train does not have; its classes are a/,
    ],
    [
      'none held out',
      { 'a/1.png': image },
      { split: { share: 0.001 } },
      /of 1 samples none is held out; take more samples/,
    ],
    ['no images', { 'a/notes.txt': 'mine' }, {}, /of 0 samples/],
  ])('%s', async (_, files, options, line) => {
    const answer = imageFolder(folderOf(files), options);
    await expect(answer).rejects.toMatchObject({ name: 'UserError', message: expect.stringMatching(line) });
  });

  it('a folder that is not there', async () => {
    const nowhere = join(temporaryFolder(), 'none');
    await expect(imageFolder(nowhere)).rejects.toThrow(`cannot read the images in ${nowhere}: no such file`);
  });
});
