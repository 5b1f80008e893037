/*
 * Images in folders, one folder for each class, as Keras and PyTorch read them.
 */
import { basename, extname, resolve } from 'node:path';
import { UserError } from '../../errors.js';
import { readBoundedFile } from '../../files/read-file.js';
import { sha256Hex } from '../../files/sha256.js';
import { type ClassFolderKind, FILE_BYTES_MAX, labelColumn, readClassFolders } from '../class-folders.js';
import { type Dataset, nameAfter, packDataset } from '../dataset.js';
import { fieldValues } from '../field-values.js';
import { checkSides, type HeldOut } from '../held-out.js';
import type { Channels, Image } from './image.js';
import { isJpeg, readJpeg } from './jpeg.js';
import { readPng } from './png.js';

export interface ImageFolderOptions {
  /** Default: rgb. */
  readonly colorMode?: 'grayscale' | 'rgb';
  /** What is held out, by a keyed hash of the file, where the folder itself has no `train` and `test`. Default: a fifth. */
  readonly split?: HeldOut;
}

/** Images as they are learned from. */
export interface ImageFolderData {
  /** Fields: `image` (u8 [height, width, 1 or 3], seen as 0 to 1) and `label` (i32 []). */
  readonly train: Dataset;
  readonly test: Dataset;
  /** The folders' names by class number, in the order of code points. */
  readonly classes: readonly string[];
  /** An image of the same size, as a network sees it. */
  inputs(path: string): Promise<{ readonly image: Float32Array }>;
}

/** Largest data set, unpacked: it is held in memory. */
const BYTES_MAX = 2 ** 31;
const IMAGES: ClassFolderKind = {
  what: 'images',
  example: 'cats',
  extensions: ['.png', '.jpg', '.jpeg'],
  others: /^\.(gif|bmp|webp|tiff?|avif|heic|ppm|pgm)$/i,
  convert: (files) => `magick mogrify -format png ${files}`,
};

/**
 * Reads the PNG and JPEG files in DIRECTORY/CLASS/, all of one size; or those in DIRECTORY/train/CLASS/ to learn from, and
 * those in DIRECTORY/test/CLASS/ to be measured on. Files and folders whose names begin with a dot are left out. Colours
 * become grey as greyOf says, grey becomes three equal colours.
 * @throws UserError that names the file and the mend
 */
export async function imageFolder(
  directory: string,
  { colorMode = 'rgb', split = {} }: ImageFolderOptions = {},
): Promise<ImageFolderData> {
  const channels = colorMode === 'rgb' ? 3 : 1;
  const train = new Gathering(channels);
  const test = new Gathering(channels);
  const classes = await readClassFolders(directory, IMAGES, split, ({ path, bytes, label, isTest }) =>
    (isTest ? test : train).add(path, bytes, label),
  );
  checkSides(directory, { train: train.samples, test: test.samples });
  train.refuseOtherSize(test);
  const name = nameAfter(basename(resolve(directory)), 'images');
  return {
    train: train.pack(`${name}-train`),
    test: test.pack(`${name}-test`),
    classes,
    async inputs(path) {
      const one = new Gathering(channels);
      one.add(path, await readBoundedFile(path, FILE_BYTES_MAX), 0);
      train.refuseOtherSize(one);
      return { image: fieldValues(one.pack(name), 'image') };
    },
  };
}

/** Images of one size, as they come. */
class Gathering {
  private first: { readonly path: string; readonly width: number; readonly height: number } | undefined;
  private readonly images: Uint8Array[] = [];
  private readonly labels: number[] = [];
  private bytes = 0;

  constructor(private readonly channels: Channels) {}

  get samples(): number {
    return this.images.length;
  }

  add(path: string, file: Uint8Array, label: number): void {
    const { width, height, pixels } = readImage(file, path, this.channels);
    this.first ??= { path, width, height };
    refuseSizes(this.first, { path, width, height });
    this.bytes += pixels.length;
    if (this.bytes > BYTES_MAX)
      throw new UserError(
        `the images up to ${path} take more than ${BYTES_MAX} bytes; make them smaller or fewer`,
      );
    this.images.push(pixels);
    this.labels.push(label);
  }

  refuseOtherSize({ first }: Gathering): void {
    if (this.first !== undefined && first !== undefined) refuseSizes(this.first, first);
  }

  pack(name: string): Dataset {
    const { width = 0, height = 0 } = this.first ?? {};
    const size = width * height * this.channels;
    const bytes = new Uint8Array(this.samples * size);
    this.images.forEach((pixels, i) => {
      bytes.set(pixels, i * size);
    });
    const image = {
      dtype: 'u8',
      shape: [height, width, this.channels],
      bytes,
      scale: Math.fround(1 / 255),
      shift: 0,
    } as const;
    const label = labelColumn(this.labels);
    return packDataset(name, this.samples, { image, label }, sha256Hex);
  }
}

/** By what a file is, not by what it is called. */
function readImage(bytes: Uint8Array, file: string, channels: Channels): Image {
  return isJpeg(bytes) ? readJpeg(bytes, file, channels) : readPng(bytes, file, channels);
}

interface Sized {
  readonly path: string;
  readonly width: number;
  readonly height: number;
}

function refuseSizes(first: Sized, other: Sized): void {
  if (first.width === other.width && first.height === other.height) return;
  throw new UserError(
    `${other.path} has ${other.width} x ${other.height} pixels, and ${first.path} has ${first.width} x ${first.height}; ` +
      `bring all to one size: magick mogrify -resize ${first.width}x${first.height}! FOLDER/*${extname(other.path)}`,
  );
}
