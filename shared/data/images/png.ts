import { decode } from 'fast-png';
import { UserError } from '../../errors.js';
import { type Channels, greyOf, type Image, refuseLarge } from './image.js';

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Signature, and the first chunk without its checksum. */
const HEADER_BYTES = 29;

/** The kind of image whose numbers name colours of a palette. */
const PALETTE = 3;
/** Numbers of a pixel by kind: grey, colour, palette, grey or colour with transparency. */
const NUMBERS: Readonly<Record<number, number>> = { 0: 1, 2: 3, [PALETTE]: 1, 4: 2, 6: 4 };

/**
 * Reads a PNG (W3C, third edition) of any kind: grey, colour or palette, 1 to 16 bits. Transparency is left out, 16 bits
 * are cut to 8, and gamma and colour profiles are not applied: the numbers are those in the file.
 *
 * @param file what to name in errors
 * @throws UserError that names the file when it is no PNG, or no whole one
 */
export function readPng(bytes: Uint8Array, file: string, channels: Channels): Image {
  const { width, height, bits, kind, isInterlaced } = readHeader(bytes, file);
  refuseLarge(file, width, height);
  if (isInterlaced && bits < 8)
    throw new UserError(`${file} is interlaced with ${bits} bits a pixel; ${mendFor(file)}`);
  const { data, palette = [] } = decodeWhole(bytes, file);
  const numbers = bits < 8 ? unpackBits(data as Uint8Array, width, height, bits) : data;
  const step = NUMBERS[kind] as number;
  // Of fewer bits, the largest number is white, too. All of 1, 3, 15 and 255 divide 255.
  const unit = kind === PALETTE || bits >= 8 ? 1 : 255 / (2 ** bits - 1);
  const pixels = new Uint8Array(width * height * channels);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const at = pixel * step;
    let red = byteOf(numbers[at] as number, bits, unit);
    let [green, blue] = [red, red];
    if (kind === PALETTE) {
      const colour = palette[red];
      if (colour === undefined)
        throw new UserError(`${file} names a colour that its palette lacks; ${mendFor(file)}`);
      [red, green, blue] = colour as [number, number, number];
    } else if (step >= 3) {
      green = byteOf(numbers[at + 1] as number, bits, unit);
      blue = byteOf(numbers[at + 2] as number, bits, unit);
    }
    if (channels === 1) pixels[pixel] = greyOf(red, green, blue);
    else {
      pixels[3 * pixel] = red;
      pixels[3 * pixel + 1] = green;
      pixels[3 * pixel + 2] = blue;
    }
  }
  return { width, height, pixels };
}

interface Header {
  readonly width: number;
  readonly height: number;
  /** Of one number. */
  readonly bits: number;
  /** The format's "colour type". */
  readonly kind: number;
  readonly isInterlaced: boolean;
}

function readHeader(bytes: Uint8Array, file: string): Header {
  if (SIGNATURE.some((byte, i) => bytes[i] !== byte) || bytes.length < HEADER_BYTES)
    throw new UserError(`${file} is neither PNG nor JPEG; ${mendFor(file)}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  return {
    width: view.getUint32(16),
    height: view.getUint32(20),
    bits: view.getUint8(24),
    kind: view.getUint8(25),
    isInterlaced: view.getUint8(28) !== 0,
  };
}

function decodeWhole(bytes: Uint8Array, file: string): ReturnType<typeof decode> {
  try {
    return decode(bytes, { checkCrc: true });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError(`${file} is no whole PNG (${why}); make it again`);
  }
}

function mendFor(file: string): string {
  return `convert it: magick ${file} -interlace none PNG24:${file.replace(/\.\w+$/, '')}.png`;
}

/** @param unit what a number of fewer than 8 bits counts */
function byteOf(number: number, bits: number, unit: number): number {
  return bits === 16 ? number >>> 8 : number * unit;
}

function unpackBits(rows: Uint8Array, width: number, height: number, bits: number): Uint8Array {
  const values = new Uint8Array(width * height);
  const rowBytes = Math.ceil((width * bits) / 8);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const byte = rows[y * rowBytes + ((x * bits) >> 3)] as number;
      values[y * width + x] = (byte >> (8 - bits - ((x * bits) & 7))) & (2 ** bits - 1);
    }
  return values;
}
