/*
 * Images in memory, and the conversion of colours to grey.
 */
import { UserError } from '../../errors.js';

/** An image, row by row from the top. */
export interface PixelImage {
  readonly width: number;
  readonly height: number;
  /** width * height * channels bytes; the channels of a pixel side by side. */
  readonly pixels: Uint8Array;
}

/** How a stored image is rotated or mirrored, as Exif numbers it. 1: not at all; also when the tag is missing or invalid. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** A decoded image in stored order. */
export interface StoredImage extends PixelImage {
  readonly orientation: Orientation;
}

/** 1: grey; 3: red, green, blue. */
export type Channels = 1 | 3;

/** Largest image, in pixels: a header that claims more is refused before memory is allocated. */
export const PIXELS_MAX = 2 ** 26;
/** Longest side, in pixels. The JPEG format has the same limit. */
const SIDE_MAX = 2 ** 16 - 1;

/** @throws UserError when an image has no pixels, or too many */
export function checkDimensions(file: string, width: number, height: number, most = PIXELS_MAX): void {
  if (width === 0 || height === 0)
    throw new UserError(`${file} has ${width} x ${height} pixels: its header is damaged; save it again`);
  if (width > SIDE_MAX || height > SIDE_MAX)
    throw new UserError(
      `${file} has ${width} x ${height} pixels, and a side may have at most ${SIDE_MAX}; split or resize it`,
    );
  if (width * height > most)
    throw new UserError(`${file} has ${width} x ${height} pixels, more than the ${most} allowed; resize it`);
}

/**
 * The luma of ITU-R BT.601 in integers, (19595 R + 38470 G + 7471 B + 2^15) >> 16, as Pillow computes it. A grey pixel keeps
 * its value.
 */
export function greyOf(red: number, green: number, blue: number): number {
  return (19595 * red + 38470 * green + 7471 * blue + 32768) >>> 16;
}

/** Converts between grey and RGB. Returns the same array when nothing changes. */
export function withChannels(pixels: Uint8Array, has: Channels, wanted: Channels): Uint8Array {
  if (has === wanted) return pixels;
  const count = pixels.length / has;
  const changed = new Uint8Array(count * wanted);
  if (wanted === 1)
    for (let i = 0; i < count; i++)
      changed[i] = greyOf(pixels[3 * i] as number, pixels[3 * i + 1] as number, pixels[3 * i + 2] as number);
  else for (let i = 0; i < count; i++) changed.fill(pixels[i] as number, 3 * i, 3 * i + 3);
  return changed;
}
