/*
 * The preprocessing of images: decided when a folder is read, stored with the run as plain JSON, and applied unchanged to every
 * later image. Prediction needs neither the recipe nor the training data.
 */
import * as v from 'valibot';
import { UserError } from '../../errors.js';
import type { PixelImage } from './image.js';
import { type Fit, resize, type Size } from './resize.js';

/** Longest side that images can be resized to, in pixels. */
export const SIZE_MAX = 4096;
/** Most classes. */
const CLASSES_MAX = 2 ** 16;
/** How images are resized. */
export const FITS = ['cover', 'contain', 'stretch'] as const satisfies readonly Fit[];

const side = v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(2 ** 16));

/** The schema of stored preprocessing. */
const ImagePreprocessingSchema = v.strictObject({
  kind: v.literal('images'),
  version: v.literal(1),
  /** Height and width in pixels. */
  size: v.tuple([side, side]),
  /** exact: images of another size are refused. */
  fit: v.picklist([...FITS, 'exact']),
  /** 1: grey, 3: red, green, blue. */
  channels: v.picklist([1, 3]),
  /** The network receives byte * scale. */
  scale: v.pipe(v.number(), v.finite()),
  /** Class names by number. */
  classes: v.pipe(v.array(v.pipe(v.string(), v.maxLength(1024))), v.maxLength(CLASSES_MAX)),
});

/** The preprocessing of images. */
export type ImagePreprocessing = v.InferOutput<typeof ImagePreprocessingSchema>;

/**
 * Checks preprocessing that was read from a file.
 * @param source names the file in errors
 * @throws UserError that names the invalid part
 */
export function parseImagePreprocessing(value: unknown, source: string): ImagePreprocessing {
  const { success, output, issues } = v.safeParse(ImagePreprocessingSchema, value);
  if (success) return output;
  const path = v.getDotPath(issues[0]);
  throw new UserError(
    `${source} has invalid image preprocessing: ${path === null ? '' : `${path}: `}${issues[0].message}; ` +
      'use an undamaged run',
  );
}

/** A decoded image at the size of the network's input. @throws UserError when the fit is exact and the size differs */
export function fitted(
  image: PixelImage,
  file: string,
  { size, fit, channels }: Pick<ImagePreprocessing, 'size' | 'fit' | 'channels'>,
): PixelImage {
  if (fit !== 'exact') return resize(image, channels, size as Size, fit);
  const [height, width] = size;
  if (image.width === width && image.height === height) return image;
  throw new UserError(
    `${file} has ${image.width} x ${image.height} pixels, and the model expects ${width} x ${height}; ` +
      `resize it: magick ${file} -resize ${width}x${height}! ${file.replace(/\.\w+$/, '')}-resized.png`,
  );
}
