import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fieldValues } from '../../../shared/data/field-values.js';
import {
  type ImageFolderOptions,
  imageFolder,
  imagesToMeasure,
} from '../../../shared/data/images/image-folder.js';
import { parseImagePreprocessing } from '../../../shared/data/images/image-preprocessing.js';
import { preprocessImage, readImage } from '../../../shared/data/images/read-image.js';
import { resize } from '../../../shared/data/images/resize.js';
import { pngBytes } from '../../support/png.js';
import { temporaryFolder } from '../../support/process.js';
import { CMYK, GREY } from './jpeg-bytes.js';

/** A picture that tells its width, its height and its depth of colour. */
const picture = (width: number, height: number, depth: number): Uint8Array => {
  const numbers = Array.from({ length: width * height * 3 }, (_, i) => (depth + i * width) % 256);
  return pngBytes({ width, height, kind: 2, bits: 8, numbers });
};

function folderOf(files: Readonly<Record<string, Uint8Array | string>>): string {
  const folder = join(temporaryFolder(), 'pictures');
  mkdirSync(folder);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
}

const FILES = {
  'train/red/1.png': picture(9, 5, 1),
  'train/red/2.jpg': GREY,
  'train/blue/3.png': picture(40, 31, 3),
  'val/red/4.png': picture(8, 6, 4),
  'val/blue/5.png': picture(5, 30, 5),
};

describe('images of several sizes', () => {
  it.each(['cover', 'contain', 'stretch'] as const)('are resized (%s), with a note', async (fit) => {
    const folder = folderOf(FILES);
    const { train, test, notes, preprocessing } = await imageFolder(folder, { size: [6, 8], fit });
    expect(train.manifest.fields.image?.shape).toEqual([6, 8, 3]);
    expect(preprocessing).toEqual({
      ...{ kind: 'images', version: 1, size: [6, 8], fit, channels: 3 },
      ...{ scale: Math.fround(1 / 255), classes: ['blue', 'red'] },
    });
    const large = await readImage(FILES['train/blue/3.png'], 'a.png', 3);
    const wanted = Array.from(resize(large, 3, [6, 8], fit).pixels, (byte) =>
      Math.fround(byte * Math.fround(1 / 255)),
    );
    expect([...fieldValues(train, 'image').subarray(0, 6 * 8 * 3)]).toEqual(wanted);
    expect(test!.manifest.samples).toBe(2);
    const how = {
      cover: 'cropped',
      contain: 'padded with black',
      stretch: 'without keeping the aspect ratio',
    }[fit];
    expect(notes).toContain(`images: 8 x 6 pixels, RGB; 4 of another size are resized (fit: ${fit}, ${how})`);
  });

  it('fill the size by default', async () => {
    const folder = folderOf(FILES);
    const [one, other] = await Promise.all([
      imageFolder(folder, { size: [4, 4] }),
      imageFolder(folder, { size: [4, 4], fit: 'cover' }),
    ]);
    expect(one.train.manifest).toEqual(other.train.manifest);
  });

  it('are refused without a size, in one line', async () => {
    await expect(imageFolder(folderOf(FILES))).rejects.toThrow(
      /val\/blue\/5\.png has 5 x 30 pixels, and .*blue\/3\.png has 40 x 31; resize all to one size: imageFolder\(path, \{ size: \[31, 40\] \}\), or magick .* \(3 more images have another size\)$/,
    );
  });
});

describe('a trained model', () => {
  it('gets the same input as in training, without the folder', async () => {
    const folder = folderOf(FILES);
    for (const options of [
      { size: [7, 5] },
      { size: [7, 5], fit: 'contain', colorMode: 'grayscale' },
    ] as const) {
      const { test, inputs, preprocessing } = await imageFolder(folder, options);
      const kept = parseImagePreprocessing(JSON.parse(JSON.stringify(preprocessing)), 'config.json');
      const first = fieldValues(test!, 'image', { from: 0, to: 1 });
      expect(await preprocessImage(FILES['val/blue/5.png'], 'a.png', kept)).toEqual(first);
      expect((await inputs(join(folder, 'val/blue/5.png'))).image).toEqual(first);
    }
  });

  it('is evaluated on every file, with the class numbers from training', async () => {
    const folder = folderOf(FILES);
    const { preprocessing, test } = await imageFolder(folder, { size: [6, 8] });
    // The same images, in a folder that has been renamed, and whose classes come in another order.
    const moved = join(temporaryFolder(), 'moved');
    renameSync(join(folder, 'val'), moved);
    const measured = (await imagesToMeasure(moved, preprocessing)).test;
    expect(fieldValues(measured, 'image')).toEqual(fieldValues(test!, 'image'));
    expect([...fieldValues(measured, 'label')]).toEqual([0, 1]);
    rmSync(join(moved, 'blue'), { recursive: true });
    expect([...fieldValues((await imagesToMeasure(moved, preprocessing)).test, 'label')]).toEqual([1]);
    renameSync(join(moved, 'red'), join(moved, 'crimson'));
    await expect(imagesToMeasure(moved, preprocessing)).rejects.toThrow(
      'has classes that the model was not trained on: crimson; its classes are blue, red',
    );
    renameSync(join(moved, 'crimson'), join(moved, 'blue'));
    rmSync(join(moved, 'blue/4.png'));
    await expect(imagesToMeasure(moved, preprocessing)).rejects.toThrow(/moved has no images to evaluate/);
  });

  it('refuses another size when training had no size', async () => {
    const { preprocessing } = await imageFolder(
      folderOf({ 'train/a/1.png': picture(3, 2, 1), 'test/a/1.png': picture(3, 2, 2) }),
    );
    expect(preprocessing).toMatchObject({ size: [2, 3], fit: 'exact' });
    await expect(preprocessImage(picture(4, 2, 1), 'a.png', preprocessing)).rejects.toThrow(
      'a.png has 4 x 2 pixels, and the model expects 3 x 2; resize it: magick a.png -resize 3x2! a-resized.png',
    );
  });
});

it('applies Exif orientations, with a note', async () => {
  const turned = Buffer.from('ffe1001e4578696600004d4d002a000000080001011200030000000100060000', 'hex');
  const exif = Buffer.concat([GREY.subarray(0, 2), turned, GREY.subarray(2)]);
  const { train, notes } = await imageFolder(folderOf({ 'train/a/1.jpg': exif, 'test/a/1.jpg': exif }));
  expect(train.manifest.fields.image?.shape).toEqual([12, 9, 3]);
  expect(notes).toContain('rotated by their Exif orientation: 2');
});

it('notes transparency and CMYK', async () => {
  const glass = pngBytes({ width: 16, height: 8, kind: 4, bits: 8, numbers: Array(16 * 8 * 2).fill(90) });
  const { notes } = await imageFolder(
    folderOf({ 'train/a/1.png': glass, 'train/a/2.jpg': CMYK, 'test/a/3.png': glass }),
  );
  expect(notes).toContain('with transparency, which is dropped: 2');
  expect(notes).toContain('converted from CMYK: 1');
});

it('notes 16 bits, animations and images that look black', async () => {
  const plan = { width: 16, height: 8, kind: 0 } as const;
  const deep = (value: number) => pngBytes({ ...plan, bits: 16, numbers: Array(16 * 8).fill(value) });
  const moving = pngBytes({
    ...plan,
    ...{ bits: 8, numbers: Array(16 * 8).fill(90) },
    chunks: [{ name: 'acTL', data: [0, 0, 0, 2, 0, 0, 0, 0] }],
  });
  const folder = folderOf({
    ...{ 'train/a/1.png': deep(4095), 'train/a/2.png': deep(65_535), 'train/a/3.png': moving },
    'test/a/4.png': deep(4095),
  });
  const { notes, preprocessing } = await imageFolder(folder);
  const told = [
    'with 16 bits, of which the upper 8 are kept: 3',
    'animated, of which the first picture is read: 1',
    'nearly black, with no value above 31 of 255 (if they use few of their bits, such as 12 of 16, multiply their values): 2',
  ];
  expect(notes.slice(-3)).toEqual(told);
  const measured = await imagesToMeasure(folder, preprocessing);
  expect(measured.notes.slice(-2)).toEqual([
    'with 16 bits, of which the upper 8 are kept: 1',
    (told[2] as string).replace(/2$/, '1'),
  ]);
});

it('reports all invalid images at once', async () => {
  const folder = folderOf({ ...FILES, 'train/red/x.png': 'text', 'train/blue/y.jpg': GREY.subarray(0, 90) });
  await expect(imageFolder(folder, { size: [4, 4] })).rejects.toThrow(
    /pictures has 2 problems:\n {2}\S*\/blue\/y\.jpg is not a valid JPEG \(its end is missing\); save or download it again\n {2}\S*\/red\/x\.png is neither PNG nor JPEG; convert it: .*$/,
  );
});

describe('invalid options are refused', () => {
  it.each<[string, object, string]>([
    ['a name', { colourMode: 'rgb' }, 'imageFolder has no option "colourMode"; did you mean colorMode?'],
    [
      'a mode',
      { colorMode: 'grey' },
      'imageFolder: colorMode "grey" is unknown; the modes are: rgb, grayscale',
    ],
    [
      'a fit',
      { size: [1, 1], fit: 'contains' },
      'imageFolder: fit "contains" is unknown; did you mean contain?',
    ],
    ['a fit without a size', { fit: 'cover' }, 'imageFolder: fit needs a size, such as size: [64, 64]'],
    [
      'one side',
      { size: 64 },
      'imageFolder: size must be [height, width], integers from 1 to 4096, such as [64, 64], not 64',
    ],
    ['a side of 0', { size: [0, 4] }, 'such as [64, 64], not [0,4]'],
    ['a side too long', { size: [4, 4097] }, 'such as [64, 64], not [4,4097]'],
    ['half a pixel', { size: [4, 4.5] }, 'such as [64, 64], not [4,4.5]'],
  ])('%s', async (_, options, message) => {
    await expect(imageFolder('nowhere', options as ImageFolderOptions)).rejects.toMatchObject({
      ...{ name: 'UserError', exitCode: 2, message: expect.stringContaining(message) },
    });
  });
});

it('stored preprocessing is validated', () => {
  const good = {
    kind: 'images',
    version: 1,
    size: [2, 3],
    fit: 'cover',
    channels: 3,
    scale: 0.5,
    classes: ['a'],
  };
  expect(parseImagePreprocessing(good, 'x')).toEqual(good);
  for (const [bad, where] of [
    [{ ...good, size: [2] }, 'size.1'],
    [{ ...good, channels: 2 }, 'channels'],
    [{ ...good, fit: 'fill' }, 'fit'],
    [{ ...good, more: 1 }, 'more'],
    [{ ...good, kind: 'table' }, 'kind'],
  ] as const)
    expect(() => parseImagePreprocessing(bad, 'config.json')).toThrow(
      `config.json has invalid image preprocessing: ${where}: `,
    );
});
