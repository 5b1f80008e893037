import { decode } from 'jpeg-js';
import { UserError } from '../../errors.js';
import { type Channels, greyOf, type Image, PIXELS_MAX, refuseLarge } from './image.js';

/** What decoding may take, in MiB: some ten bytes a pixel of the largest image. */
const MEMORY_MIB_MAX = 512;
const MARKER = 0xff;
const START = 0xd8;
/** Markers without a length: restarts, start, end, and one for private use. */
const isBare = (marker: number): boolean => (marker >= 0xd0 && marker <= 0xd9) || marker === 0x01;
/** Start of a frame; three numbers of that row mean tables. */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/** Whether a file begins as a JPEG does. */
export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === MARKER && bytes[1] === START && bytes[2] === MARKER;
}

/**
 * Reads a JPEG (ITU-T T.81), baseline or progressive, grey or of colours, with the same pixels on every machine: the decoder
 * counts in whole numbers, and its colours take additions and products of doubles alone. Other decoders smooth colours
 * that were stored at half of the size and may differ by some levels there. Which way up the camera was held (Exif) is not
 * asked, as PyTorch's and Keras's image folders do not ask it.
 * @param file what to name in errors
 * @throws UserError that names the file when it is no JPEG, or no whole one
 */
export function readJpeg(bytes: Uint8Array, file: string, channels: Channels): Image {
  const size = sizeIn(bytes);
  if (size !== undefined) refuseLarge(file, size.width, size.height);
  const { width, height, data } = decodeWhole(bytes, file);
  if (channels === 3) return { width, height, pixels: data };
  const pixels = new Uint8Array(width * height);
  for (let i = 0; i < pixels.length; i++)
    pixels[i] = greyOf(data[3 * i] as number, data[3 * i + 1] as number, data[3 * i + 2] as number);
  return { width, height, pixels };
}

/** What the frame's header says; undefined where there is none. */
function sizeIn(bytes: Uint8Array): { width: number; height: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + 9 <= bytes.length && view.getUint8(at) === MARKER) {
    const marker = view.getUint8(at + 1);
    if (isFrame(marker)) return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    at += 2;
    // Any number of 0xff may stand in front of a marker.
    if (marker === MARKER) at -= 1;
    else if (!isBare(marker)) at += view.getUint16(at);
  }
  return undefined;
}

function decodeWhole(bytes: Uint8Array, file: string) {
  try {
    return decode(bytes, {
      useTArray: true,
      formatAsRGBA: false,
      tolerantDecoding: false,
      maxResolutionInMP: PIXELS_MAX / 1e6,
      maxMemoryUsageInMB: MEMORY_MIB_MAX,
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError(`${file} is no whole JPEG (${why}); make it again`);
  }
}
