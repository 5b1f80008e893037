/*
 * Images as data sets hold them, and how colours become grey.
 */
import { UserError } from '../../errors.js';

/** An image, row by row from the top. */
export interface Image {
  readonly width: number;
  readonly height: number;
  /** width * height * channels bytes; the channels of a pixel side by side. */
  readonly pixels: Uint8Array;
}

/** 1: grey; 3: red, green, blue. */
export type Channels = 1 | 3;

/** Largest image, in pixels: what a header claims is believed up to here. */
export const PIXELS_MAX = 2 ** 24;

/** @throws UserError when an image of this size would not be read */
export function refuseLarge(file: string, width: number, height: number): void {
  if (width * height > PIXELS_MAX)
    throw new UserError(
      `${file} has ${width} x ${height} pixels, more than the ${PIXELS_MAX} allowed; make it smaller`,
    );
}

/**
 * Colours as ITU-R BT.601 weighs them, (19595 R + 38470 G + 7471 B + 2^15) / 2^16 in whole numbers, rounded down, as Pillow
 * does: what is grey stays as it is.
 */
export function greyOf(red: number, green: number, blue: number): number {
  return (19595 * red + 38470 * green + 7471 * blue + 32768) >>> 16;
}
