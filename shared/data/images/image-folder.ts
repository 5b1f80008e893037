/*
 * Images in folders, one folder for each class, as Keras and PyTorch read them.
 */
import { basename, extname, resolve } from 'node:path';
import { UserError } from '../../errors.js';
import { readBoundedFile } from '../../files/read-file.js';
import { checkOptionNames, didYouMean } from '../../nearest.js';
import { type ClassFile, FILE_BYTES_MAX, readClassFolders, readKnownClasses } from '../class-folders.js';
import { type Column, type Dataset, nameAfter } from '../dataset.js';
import type { ClassFolderKind } from '../folder-listing.js';
import { checkSides, type HeldOut } from '../held-out.js';
import { LabelledSamples } from '../labelled-samples.js';
import { ImageChanges } from './image-changes.js';
import { FITS, fitted, type ImagePreprocessing, SIZE_MAX } from './image-preprocessing.js';
import { preprocessImage, type ReadImage, readImage } from './read-image.js';
import type { Fit, Size } from './resize.js';

export interface ImageFolderOptions {
  /** Default: rgb. */
  readonly colorMode?: 'grayscale' | 'rgb';
  /** Height and width that all images are resized to. Default: images must all have the same size. */
  readonly size?: Size;
  /**
   * How an image with another aspect ratio is resized: scaled to fill the size and cropped (cover), scaled to fit and padded with
   * black (contain), or distorted (stretch). Default: cover.
   */
  readonly fit?: Fit;
  /** Which files are held out, by a keyed hash, when the folder has no `train` with `val` or `test`. Default: a fifth. */
  readonly split?: HeldOut;
}

/** Data sets of images. */
export interface ImageFolderData {
  /** Fields: `image` (u8 [height, width, 1 or 3], scaled to 0 to 1) and `label` (i32 []). */
  readonly train: Dataset;
  /** Left out when nothing is held out. */
  readonly test?: Dataset;
  /** Folder names by class number, in code unit order. */
  readonly classes: readonly string[];
  /** What was found and decided, one line each; printed before training. */
  readonly notes: readonly string[];
  /** What preprocessImage needs for other images, as plain JSON. */
  readonly preprocessing: ImagePreprocessing;
  /** The network input of one image. */
  inputs(path: string): Promise<{ readonly image: Float32Array }>;
}

const SCALE = Math.fround(1 / 255);
const OPTIONS = ['colorMode', 'size', 'fit', 'split'];

export const IMAGES: ClassFolderKind = {
  what: 'images',
  example: 'cats',
  extensions: ['.png', '.jpg', '.jpeg'],
  others: /^\.(gif|bmp|webp|tiff?|avif|heic|heif|jfif|jpe|jp2|jxl|ppm|pgm)$/i,
  convert: (files) => `magick mogrify -format png ${files}`,
};

/**
 * Reads the PNG and JPEG files in DIRECTORY/CLASS/; or those in DIRECTORY/train/CLASS/ for training and those in val or test for
 * evaluation (class-tree.ts). Images are rotated by their Exif orientation. Colours become grey as in greyOf; grey becomes three
 * equal colours.
 * @throws UserError that names the files and the remedy
 */
export async function imageFolder(
  directory: string,
  options: ImageFolderOptions = {},
): Promise<ImageFolderData> {
  checkOptions(options);
  const { colorMode = 'rgb', size, fit = 'cover', split = {} } = options;
  const channels = colorMode === 'rgb' ? 3 : 1;
  const decided = { size, fit: size === undefined ? ('exact' as const) : fit, channels } as const;
  const [train, test] = [imageList(), imageList()];
  const resizer = new ImageResizer(decided);
  const { classes, notes } = await readClassFolders(
    directory,
    IMAGES,
    split,
    async ({ path, bytes, label, isTest }) => {
      const pixels = resizer.fit(await readImage(bytes, path, channels), path);
      if (pixels !== undefined) (isTest ? test : train).add(path, pixels, label, train.bytes + test.bytes);
    },
  );
  resizer.refuseOthers();
  checkSides(directory, { train: train.samples, test: test.samples }, split.share);
  const preprocessing: ImagePreprocessing = {
    kind: 'images',
    version: 1,
    size: [...resizer.size],
    fit: decided.fit,
    channels,
    scale: SCALE,
    classes: [...classes],
  };
  const name = nameAfter(basename(resolve(directory)), 'images');
  return {
    train: train.pack(`${name}-train`, 'image', columnOf(preprocessing)),
    ...(test.samples > 0 && { test: test.pack(`${name}-test`, 'image', columnOf(preprocessing)) }),
    classes,
    notes: [...notes, ...resizer.notes()],
    preprocessing,
    inputs: async (path) => ({
      image: await preprocessImage(await readBoundedFile(path, FILE_BYTES_MAX), path, preprocessing),
    }),
  };
}

/**
 * Images for the evaluation of a trained model: all files of a folder with the model's classes. In a folder with splits, those of
 * the held-out split.
 * @throws UserError that names the files and the remedy
 */
export async function imagesToMeasure(
  directory: string,
  preprocessing: ImagePreprocessing,
): Promise<{ readonly test: Dataset; readonly notes: readonly string[] }> {
  const list = imageList();
  const changes = new ImageChanges();
  const take = async ({ path, bytes, label }: ClassFile) => {
    const image = await readImage(bytes, path, preprocessing.channels);
    changes.add(image);
    list.add(path, fitted(image, path, preprocessing).pixels, label, list.bytes);
  };
  const notes = await readKnownClasses(directory, IMAGES, preprocessing.classes, take);
  if (list.samples === 0)
    throw new UserError(`${directory} has no images to evaluate; add some to the class folders`);
  const name = nameAfter(basename(resolve(directory)), 'images');
  return { test: list.pack(name, 'image', columnOf(preprocessing)), notes: [...notes, ...changes.notes()] };
}

function imageList(): LabelledSamples {
  return new LabelledSamples('images', 'use a smaller size or fewer images');
}

function columnOf({ size: [height, width], channels, scale }: ImagePreprocessing): Omit<Column, 'bytes'> {
  return { dtype: 'u8', shape: [height, width, channels], scale, shift: 0 };
}

function checkOptions(options: ImageFolderOptions): void {
  checkOptionNames('imageFolder', options, OPTIONS);
  if (options.split !== undefined) checkOptionNames('imageFolder: split', options.split, ['share', 'seed']);
  const { colorMode, size, fit } = options;
  const refuse = (message: string): never => {
    throw new UserError(`imageFolder: ${message}`, 2);
  };
  if (colorMode !== undefined && colorMode !== 'rgb' && colorMode !== 'grayscale')
    refuse(
      `colorMode ${JSON.stringify(colorMode)} is unknown; ${didYouMean(String(colorMode), ['rgb', 'grayscale'], 'modes')}`,
    );
  const isSide = (side: unknown) =>
    Number.isInteger(side) && (side as number) >= 1 && (side as number) <= SIZE_MAX;
  if (size !== undefined && !(Array.isArray(size) && size.length === 2 && size.every(isSide)))
    refuse(
      `size must be [height, width], integers from 1 to ${SIZE_MAX}, such as [64, 64], not ${JSON.stringify(size)}`,
    );
  if (fit !== undefined && !FITS.includes(fit))
    refuse(`fit ${JSON.stringify(fit)} is unknown; ${didYouMean(String(fit), FITS, 'values')}`);
  if (fit !== undefined && size === undefined) refuse(`fit needs a size, such as size: [64, 64]`);
}

interface Sized {
  readonly path: string;
  readonly width: number;
  readonly height: number;
}

/** Resizes images, and collects what happened to them. */
class ImageResizer {
  private first: Sized | undefined;
  private other: Sized | undefined;
  private readonly sizes = new Map<string, number>();
  private readonly changes = new ImageChanges();

  constructor(
    private readonly decided: {
      readonly size: Size | undefined;
      readonly fit: Fit | 'exact';
      readonly channels: 1 | 3;
    },
  ) {}

  get size(): Size {
    return this.decided.size ?? [this.first?.height ?? 1, this.first?.width ?? 1];
  }

  /** Returns the resized pixels; undefined when no size was given and the image differs in size from the first. */
  fit(image: ReadImage, path: string): Uint8Array | undefined {
    const { width, height } = image;
    this.first ??= { path, width, height };
    const key = `${width} x ${height}`;
    this.sizes.set(key, (this.sizes.get(key) ?? 0) + 1);
    this.changes.add(image);
    const isOther = width !== this.first.width || height !== this.first.height;
    if (this.decided.size !== undefined || !isOther)
      return fitted(image, path, { ...this.decided, size: [...this.size] }).pixels;
    this.other ??= { path, width, height };
    return undefined;
  }

  /** @throws UserError when no size was given and sizes differ */
  refuseOthers(): void {
    const { first, other } = this;
    if (first === undefined || other === undefined) return;
    const all = [...this.sizes.values()].reduce((sum, count) => sum + count, 0);
    const more = all - 1 - (this.sizes.get(`${first.width} x ${first.height}`) ?? 0);
    const fix = `magick mogrify -resize ${first.width}x${first.height}! FOLDER/*${extname(other.path)}`;
    throw new UserError(
      `${other.path} has ${other.width} x ${other.height} pixels, and ${first.path} has ${first.width} x ${first.height}; ` +
        `resize all to one size: imageFolder(path, { size: [${first.height}, ${first.width}] }), or ${fix}` +
        (more > 0 ? ` (${more} more images have another size)` : ''),
    );
  }

  notes(): string[] {
    const [height, width] = this.size;
    const { fit, channels } = this.decided;
    const others = [...this.sizes].filter(([key]) => key !== `${width} x ${height}`);
    const many = others.reduce((sum, [, count]) => sum + count, 0);
    const how = {
      cover: 'cropped',
      contain: 'padded with black',
      stretch: 'without keeping the aspect ratio',
      exact: '',
    };
    return [
      `images: ${width} x ${height} pixels, ${channels === 3 ? 'RGB' : 'grey'}` +
        (many === 0 ? '' : `; ${many} of another size are resized (fit: ${fit}, ${how[fit]})`),
      ...this.changes.notes(),
    ];
  }
}
