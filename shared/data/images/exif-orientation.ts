/*
 * The orientation of a photo. Cameras store pixels in sensor order and record how to rotate them (Exif, CIPA DC-008, tag
 * 0x0112). This file reads that tag alone: libraries that read all tags need unbounded memory for a crafted file, and fail when
 * any other tag is damaged.
 */
import type { Channels, Orientation, PixelImage } from './image.js';

const ORIENTATION_TAG = 0x0112;
/** Types of whole numbers of two and of four bytes, unsigned and signed. */
const [SHORT, LONG, SIGNED_SHORT, SIGNED_LONG] = [3, 4, 8, 9];
/** Tag, type, count and value. */
const ENTRY_BYTES = 12;

/**
 * @param exif the TIFF header and tags, with or without the prefix `Exif\\0\\0`
 * @returns undefined without the tag; 1 for an invalid value
 */
export function readOrientation(exif: Uint8Array): Orientation | undefined {
  const text = (at: number, length: number) => String.fromCharCode(...exif.subarray(at, at + length));
  const begin = text(0, 4) === 'Exif' ? 6 : 0;
  const isLittle = text(begin, 2) === 'II';
  if (!isLittle && text(begin, 2) !== 'MM') return undefined;
  const view = new DataView(exif.buffer, exif.byteOffset + begin, Math.max(0, exif.length - begin));
  if (view.byteLength < 8 || view.getUint16(2, isLittle) !== 42) return undefined;
  const table = view.getUint32(4, isLittle);
  if (table + 2 > view.byteLength) return undefined;
  const entries = view.getUint16(table, isLittle);
  for (let i = 0; i < entries; i++) {
    const at = table + 2 + i * ENTRY_BYTES;
    if (at + ENTRY_BYTES > view.byteLength) return undefined;
    if (view.getUint16(at, isLittle) !== ORIENTATION_TAG) continue;
    const type = view.getUint16(at + 2, isLittle);
    const value =
      type === SHORT || type === SIGNED_SHORT
        ? view.getUint16(at + 8, isLittle)
        : type === LONG || type === SIGNED_LONG
          ? view.getUint32(at + 8, isLittle)
          : 1;
    return isOrientation(value) ? value : 1;
  }
  return undefined;
}

/** The orientation in an XMP packet (Adobe XMP specification, part 2: tiff:Orientation); undefined without one. */
export function readXmpOrientation(packet: string): Orientation | undefined {
  const value = Number(/tiff:Orientation(?:="|>)(\d)/.exec(packet)?.[1]);
  return isOrientation(value) ? value : undefined;
}

function isOrientation(value: number): value is Orientation {
  return value >= 1 && value <= 8;
}

/** The image as it should be displayed. */
export function turnUpright(image: PixelImage, channels: Channels, orientation: Orientation): PixelImage {
  if (orientation === 1) return image;
  const { width: w, height: h, pixels } = image;
  const isTransposed = orientation >= 5;
  const [width, height] = isTransposed ? [h, w] : [w, h];
  // The stored pixel at the top left, and the steps between stored pixels for one step to the right and one down.
  const [from, right, down] = (
    {
      2: [w - 1, -1, w],
      3: [h * w - 1, -1, -w],
      4: [(h - 1) * w, 1, -w],
      5: [0, w, 1],
      6: [(h - 1) * w, -w, 1],
      7: [h * w - 1, -w, -1],
      8: [w - 1, w, -1],
    } as const
  )[orientation];
  const turned = new Uint8Array(pixels.length);
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const source = (from + x * right + y * down) * channels;
      for (let channel = 0; channel < channels; channel++) turned[at++] = pixels[source + channel] as number;
    }
  return { width, height, pixels: turned };
}
