/*
 * PNG decoding (W3C, third edition). fast-png decodes the rows, but needs unbounded memory for a crafted file, fails on damaged
 * metadata, and does not support interlaced images with fewer than 8 bits. So this file
 * - skips ancillary chunks, as libpng does when they are damaged,
 * - decompresses no more than the size in the header,
 * - decodes each pass of an interlaced image as an image of its own.
 */
import { crc32, deflateSync, inflateSync } from 'node:zlib';
import { decode } from 'fast-png';
import { UserError } from '../../errors.js';
import { otherContent } from '../other-content.js';
import { readOrientation } from './exif-orientation.js';
import { type Channels, checkDimensions, type Orientation, type StoredImage, withChannels } from './image.js';
import { orientationInTexts, TEXT_CHUNKS } from './png-texts.js';

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const HEADER_BYTES = 13;
/** Length and name before the data of a chunk, and the checksum after it. */
const [CHUNK_BEGIN, CHUNK_END] = [8, 4];
/** Decompressed bytes after the last row that are ignored, as other readers do. */
const EXTRA_BYTES_MAX = 2 ** 16;

/** Samples per pixel and allowed bits per sample by colour type: grey, RGB, palette, grey and RGB with alpha. */
const KINDS: Readonly<Record<number, { readonly numbers: number; readonly bits: readonly number[] }>> = {
  0: { numbers: 1, bits: [1, 2, 4, 8, 16] },
  2: { numbers: 3, bits: [8, 16] },
  3: { numbers: 1, bits: [1, 2, 4, 8] },
  4: { numbers: 2, bits: [8, 16] },
  6: { numbers: 4, bits: [8, 16] },
};
const PALETTE = 3;

/** The pixels of a pass: first column and row, and the steps to the next ones. */
type Pass = readonly [left: number, top: number, right: number, down: number];
const ALL: readonly Pass[] = [[0, 0, 1, 1]];
const ADAM7: readonly Pass[] = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

/**
 * Decodes a PNG of any colour type, 1 to 16 bits, interlaced or not. Transparency is dropped. Of 16 bits the upper 8 are kept.
 * Gamma and colour profiles are not applied. Pixels are in stored order; the Exif orientation is returned beside them.
 *
 * @param file names the image in errors
 * @throws UserError that names the file when it is not a valid PNG
 */
export function readPng(
  bytes: Uint8Array,
  file: string,
  channels: Channels,
): StoredImage & { readonly isTransparent: boolean; readonly isDeep: boolean; readonly isAnimated: boolean } {
  const { header, palette, data, orientation, hasTransparency, isAnimated } = readPngChunks(bytes, file);
  let isTransparent = hasTransparency;
  const { width, height, bits, kind } = header;
  const raw = unpack(data, header, file);
  const { numbers: step } = KINDS[kind] as (typeof KINDS)[number];
  const has = kind === 0 || kind === 4 ? 1 : 3;
  const hasAlpha = kind === 4 || kind === 6;
  const pixels = new Uint8Array(width * height * has);
  // The largest sample is white. 1, 3, 15 and 255 all divide 255.
  const unit = bits >= 8 ? 1 : 255 / (2 ** bits - 1);
  const byteOf = (number: number) => (bits === 16 ? number >>> 8 : number * unit);
  let at = 0;
  for (const pass of passesOf(header)) {
    const part = { ...header, ...sizeOf(pass, header), isInterlaced: false };
    const partBytes = rawBytes(part);
    const numbers = decodePart(part, raw.subarray(at, at + partBytes), file);
    at += partBytes;
    const [left, top, right, down] = pass;
    for (let y = 0, from = 0; y < part.height; y++)
      for (let x = 0; x < part.width; x++, from += step) {
        const to = ((top + y * down) * width + left + x * right) * has;
        const first = numbers[from] as number;
        if (hasAlpha && numbers[from + step - 1] !== 2 ** bits - 1) isTransparent = true;
        if (kind === PALETTE) {
          if (3 * first >= palette.length)
            throw new UserError(`${file} uses a colour that is not in its palette; ${convert(file)}`);
          for (let i = 0; i < 3; i++) pixels[to + i] = palette[3 * first + i] as number;
        } else for (let i = 0; i < has; i++) pixels[to + i] = byteOf(numbers[from + i] as number);
      }
  }
  const isDeep = bits === 16;
  const converted = withChannels(pixels, has, channels);
  return { width, height, pixels: converted, orientation, isTransparent, isDeep, isAnimated };
}

/** The header chunk. */
export interface PngHeader {
  readonly width: number;
  readonly height: number;
  /** Per sample. */
  readonly bits: number;
  /** The format's "colour type". */
  readonly kind: number;
  readonly isInterlaced: boolean;
}

/** The chunks that matter for pixels. */
interface PngChunks {
  readonly header: PngHeader;
  /** RGB triples. */
  readonly palette: Uint8Array;
  readonly data: readonly Uint8Array[];
  readonly orientation: Orientation;
  /** Whether a palette colour or one colour is transparent. */
  readonly hasTransparency: boolean;
  /** Whether further pictures follow, which only readers of animations know of. */
  readonly isAnimated: boolean;
}

/**
 * Reads the chunks. A wrong checksum is an error in critical chunks only; ancillary chunks are skipped.
 * @param file names the image in errors
 * @throws UserError that names the file when it is not a valid PNG
 */
export function readPngChunks(bytes: Uint8Array, file: string): PngChunks {
  if (SIGNATURE.some((byte, i) => bytes[i] !== byte))
    throw new UserError(`${file} ${otherContent(bytes) ?? `is neither PNG nor JPEG; ${convert(file)}`}`);
  let header: PngHeader | undefined;
  let palette = new Uint8Array();
  const texts: Uint8Array[] = [];
  let orientation: Orientation | undefined;
  let hasTransparency = false;
  let isAnimated = false;
  const data: Uint8Array[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = SIGNATURE.length; ; ) {
    if (at + CHUNK_BEGIN + CHUNK_END > bytes.length) throw broken(file, 'its end is missing');
    const length = view.getUint32(at);
    const begin = at + CHUNK_BEGIN;
    if (begin + length + CHUNK_END > bytes.length) throw broken(file, 'its end is missing');
    const name = String.fromCharCode(...bytes.subarray(at + 4, begin));
    const body = bytes.subarray(begin, begin + length);
    const isGood = crc32(bytes.subarray(at + 4, begin + length)) === view.getUint32(begin + length);
    at = begin + length + CHUNK_END;
    // A chunk is critical when its name begins with a capital. Palettes of RGB images are suggestions only.
    const isNeeded = name === 'PLTE' ? header?.kind === PALETTE : /^[A-Z]/.test(name);
    if (!/^[A-Za-z]{4}$/.test(name)) throw broken(file, 'a chunk has an invalid name');
    if (name === 'IHDR') {
      if (header !== undefined) throw broken(file, 'it has two headers');
      header = readHeader(body, file);
    }
    if (header === undefined) throw broken(file, 'its header is missing');
    if (isNeeded && !isGood) throw broken(file, `its ${name} chunk is damaged`);
    if (name === 'IHDR') continue;
    if (name === 'PLTE') {
      if (isNeeded) palette = new Uint8Array(readPalette(body, file));
    } else if (name === 'IDAT') data.push(body);
    else if (name === 'IEND') break;
    else if (name === 'eXIf' && isGood) orientation = readOrientation(body);
    else if (TEXT_CHUNKS.has(name) && isGood) texts.push(bytes.subarray(begin - 4, begin + length));
    else if (name === 'tRNS' && isGood) hasTransparency = isTransparency(body, header.kind);
    else if (name === 'acTL' && isGood) isAnimated = true;
    else if (isNeeded) throw new UserError(`${file} has an unknown critical chunk ${name}; ${convert(file)}`);
  }
  if (data.length === 0) throw broken(file, 'it has no pixels');
  if (header.kind === PALETTE && palette.length === 0) throw broken(file, 'its palette is missing');
  orientation ??= orientationInTexts(texts) ?? 1;
  return { header, palette, data, orientation, hasTransparency, isAnimated };
}

function readHeader(body: Uint8Array, file: string): PngHeader {
  if (body.length !== HEADER_BYTES) throw broken(file, 'its header is damaged');
  const view = new DataView(body.buffer, body.byteOffset, HEADER_BYTES);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [bits = 0, kind = 0, compression, filter, interlace = 0] = body.subarray(8);
  if (!KINDS[kind]?.bits.includes(bits))
    throw broken(file, `PNG has no colour type ${kind} with ${bits} bits`);
  if (compression !== 0 || filter !== 0 || interlace > 1)
    throw broken(file, 'its compression, filter or interlace method is unknown');
  checkDimensions(file, width, height);
  return { width, height, bits, kind, isInterlaced: interlace === 1 };
}

/** Whether the content of a tRNS chunk is valid for a colour type and makes a colour transparent. */
function isTransparency(body: Uint8Array, kind: number): boolean {
  if (kind === PALETTE) return body.some((alpha) => alpha < 255);
  return body.length === { 0: 2, 2: 6 }[kind];
}

function readPalette(body: Uint8Array, file: string): Uint8Array {
  if (body.length === 0 || body.length % 3 !== 0 || body.length > 3 * 256)
    throw broken(file, `its palette has ${body.length} bytes`);
  return body;
}

/** The decompressed rows of all passes, each preceded by its filter type. */
function unpack(data: readonly Uint8Array[], header: PngHeader, file: string): Uint8Array {
  const size = passesOf(header).reduce(
    (sum, pass) => sum + rawBytes({ ...header, ...sizeOf(pass, header) }),
    0,
  );
  let raw: Uint8Array;
  try {
    raw = inflateSync(Buffer.concat(data), { maxOutputLength: size + EXTRA_BYTES_MAX });
  } catch {
    throw broken(file, 'its compressed data is damaged');
  }
  if (raw.length < size) throw broken(file, 'some of its pixels are missing');
  return raw;
}

function passesOf(header: PngHeader): readonly Pass[] {
  if (!header.isInterlaced) return ALL;
  // Small images have no pixels in some passes.
  return ADAM7.filter(([left, top]) => left < header.width && top < header.height);
}

function sizeOf([left, top, right, down]: Pass, { width, height }: PngHeader) {
  return { width: Math.ceil((width - left) / right), height: Math.ceil((height - top) / down) };
}

function rowBytes({ width, bits, kind }: PngHeader): number {
  return Math.ceil((width * bits * (KINDS[kind]?.numbers ?? 0)) / 8);
}

function rawBytes(header: PngHeader): number {
  return header.height * (1 + rowBytes(header));
}

/** The samples of one pass. @param raw its rows */
function decodePart(header: PngHeader, raw: Uint8Array, file: string): Uint8Array | Uint16Array {
  const { width, height, bits, kind } = header;
  const head = new Uint8Array(HEADER_BYTES);
  const view = new DataView(head.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  head.set([bits, kind, 0, 0, 0], 8);
  const plain = Buffer.concat([
    Uint8Array.from(SIGNATURE),
    ...chunk('IHDR', head),
    ...chunk('IDAT', deflateSync(raw, { level: 0 })),
    ...chunk('IEND', new Uint8Array()),
  ]);
  try {
    const { data } = decode(plain);
    return bits < 8 ? unpackBits(data as Uint8Array, header) : (data as Uint8Array | Uint16Array);
  } catch {
    throw broken(file, 'its rows are damaged');
  }
}

/** A chunk with a zero checksum, which the decoder does not check. */
function chunk(name: string, data: Uint8Array): Uint8Array[] {
  const begin = new Uint8Array(CHUNK_BEGIN);
  new DataView(begin.buffer).setUint32(0, data.length);
  begin.set(Buffer.from(name), 4);
  return [begin, data, new Uint8Array(CHUNK_END)];
}

function unpackBits(rows: Uint8Array, header: PngHeader): Uint8Array {
  const { width, height, bits } = header;
  const values = new Uint8Array(width * height);
  const bytes = rowBytes(header);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const byte = rows[y * bytes + ((x * bits) >> 3)] as number;
      values[y * width + x] = (byte >> (8 - bits - ((x * bits) & 7))) & (2 ** bits - 1);
    }
  return values;
}

function broken(file: string, why: string): UserError {
  return new UserError(`${file} is not a valid PNG (${why}); save or download it again`);
}

function convert(file: string): string {
  return `convert it: magick ${file} -interlace none PNG24:${file.replace(/\.\w+$/, '')}.png`;
}
