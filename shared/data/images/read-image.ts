import { turnUpright } from './exif-orientation.js';
import type { Channels, StoredImage } from './image.js';
import { fitted, type ImagePreprocessing } from './image-preprocessing.js';
import { readJpeg } from './jpeg.js';
import { isJpeg, readSegments } from './jpeg-segments.js';
import { readPng, readPngChunks } from './png.js';

/** A decoded image, rotated by its Exif orientation. */
export interface ReadImage extends StoredImage {
  /** Whether transparency was dropped. */
  readonly isTransparent: boolean;
  /** Whether it was converted from CMYK. */
  readonly isCmyk: boolean;
  /** Whether it has 16 bits, of which the upper 8 are kept. */
  readonly isDeep: boolean;
  /** Whether it is the first of several pictures. */
  readonly isAnimated: boolean;
}

/**
 * Decodes a PNG or JPEG, detected by its first bytes, and applies its Exif orientation.
 * @param file names the image in errors
 * @throws UserError that names the file and the remedy
 */
export async function readImage(bytes: Uint8Array, file: string, channels: Channels): Promise<ReadImage> {
  const stored = isJpeg(bytes)
    ? { ...(await readJpeg(bytes, file, channels)), isTransparent: false, isDeep: false, isAnimated: false }
    : { ...readPng(bytes, file, channels), isCmyk: false };
  return { ...stored, ...turnUpright(stored, channels, stored.orientation) };
}

/** The header of an image file. */
export interface ImageHeader {
  /** After rotation by the Exif orientation. */
  readonly width: number;
  readonly height: number;
  readonly isGrey: boolean;
}

/** Reads the header without decoding pixels. @throws UserError that names the file and the remedy */
export function readImageHeader(bytes: Uint8Array, file: string): ImageHeader {
  const { width, height, orientation, isGrey } = isJpeg(bytes)
    ? jpegHeader(bytes, file)
    : pngHeader(bytes, file);
  return orientation < 5 ? { width, height, isGrey } : { width: height, height: width, isGrey };
}

function jpegHeader(bytes: Uint8Array, file: string) {
  const { width, height, orientation, components } = readSegments(bytes, file);
  return { width, height, orientation, isGrey: components.length === 1 };
}

function pngHeader(bytes: Uint8Array, file: string) {
  const { header, orientation } = readPngChunks(bytes, file);
  return { ...header, orientation, isGrey: header.kind === 0 || header.kind === 4 };
}

/**
 * The network input of one image, with the same values as in training.
 * @param bytes of a PNG or JPEG
 * @param file names the image in errors
 * @param seen receives the decoded image, for what is told about it
 * @returns [height, width, channels]
 * @throws UserError that names the file and the remedy
 */
export async function preprocessImage(
  bytes: Uint8Array,
  file: string,
  settings: ImagePreprocessing,
  seen?: (image: ReadImage) => void,
): Promise<Float32Array> {
  const image = await readImage(bytes, file, settings.channels);
  seen?.(image);
  const { pixels } = fitted(image, file, settings);
  // A byte times a float32 is exact in float64, so there is a single rounding.
  return Float32Array.from(pixels, (byte) => byte * settings.scale);
}
